/** Files that could not be used, each with its reason. */
import { useState } from 'react';
import { useQuarantine } from '../api/queries.ts';
import { many } from '../app/many.ts';

export function Quarantined({ count }: { readonly count: number }) {
  const [open, setOpen] = useState(false);
  const { data: files = [] } = useQuarantine(open);
  if (count === 0) return null;
  return (
    <details className="quarantined" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{many(count, 'file')} could not be read</summary>
      <ul>
        {files.map(({ path, reason, message }) => (
          <li key={path}>
            <b>{path}</b>{' '}
            <small title={message}>
              {reason}: {message}
            </small>
          </li>
        ))}
      </ul>
      {files.length > 0 && files.length < count && (
        <p className="hint">The first {files.length.toLocaleString()} of them.</p>
      )}
    </details>
  );
}
