/** A folder of this machine, looked into step by step. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '../api/client.ts';
import { many } from '../app/many.ts';

export function FolderChooser({ onChoose }: { readonly onChoose: (path: string) => void }) {
  const [path, setPath] = useState<string | undefined>(undefined);
  const [typed, setTyped] = useState('');
  const { data, error } = useQuery({
    queryKey: ['folders', path],
    queryFn: () => answer(api.folders.$get({ query: { path } })),
    retry: false,
    placeholderData: (before) => before,
  });
  return (
    <section className="folders" aria-label="Choose a folder">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== '') setPath(typed);
        }}
      >
        <input
          aria-label="Path of a folder"
          placeholder="/path/of/a/folder"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit">Look</button>
      </form>
      {error && <p className="hint">{error.message}</p>}
      {data && (
        <>
          <p className="row">
            <b>{data.path}</b>{' '}
            <small>
              {many(data.images, 'image')} right here{data.folders.length > 0 && ', and those of the folders below it'}
            </small>
            <button type="button" className="main end" onClick={() => onChoose(data.path)}>
              Use this folder
            </button>
          </p>
          <ul>
            {data.above !== null && (
              <li>
                <button type="button" onClick={() => setPath(data.above ?? undefined)}>
                  ↑ above
                </button>
              </li>
            )}
            {data.folders.map((folder) => (
              <li key={folder}>
                <button type="button" onClick={() => setPath(folder)}>
                  {folder.split(/[/\\]/).pop()}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
