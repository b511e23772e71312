/** Where to and as what labels go out, and what a format does not keep. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type JobRequest } from '../api/client.ts';

interface ExportFormProps {
  readonly task: string;
  readonly busy: boolean;
  readonly onStart: (request: JobRequest) => void;
}

export function ExportForm({ task, busy, onStart }: ExportFormProps) {
  const [format, setFormat] = useState('folders');
  const [out, setOut] = useState('');
  const { data: formats = [] } = useQuery({
    queryKey: ['formats'],
    queryFn: async () => (await answer(api.formats.$get())).formats,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const chosen = formats.find(({ name }) => name === format);
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        onStart({ kind: 'export', format, out, task });
      }}
    >
      <label className="choice">
        <span>As</span>
        <select value={format} onChange={(event) => setFormat(event.target.value)}>
          {formats.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label className="choice">
        <span>To</span>
        <input
          required
          placeholder="/path/of/a/new/folder"
          value={out}
          onChange={(event) => setOut(event.target.value)}
          size={36}
        />
      </label>
      <button type="submit" disabled={busy || out === ''}>
        Export
      </button>
      {chosen && (
        <p className="hint whole">
          {chosen.description}
          {chosen.loses.length > 0 && `. It does not keep: ${chosen.loses.join('; ')}`}.
        </p>
      )}
    </form>
  );
}
