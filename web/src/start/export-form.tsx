/** Where to and as what labels go out, and what a format does not keep. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type JobRequest } from '../api/client.ts';
import { useTask } from '../classes/use-task.ts';

interface ExportFormProps {
  readonly busy: boolean;
  readonly onStart: (request: JobRequest) => void;
}

export function ExportForm({ busy, onStart }: ExportFormProps) {
  const { task: current, tasks } = useTask();
  /** Chosen here; else the one that the pages are about. */
  const [other, setOther] = useState<string | null>(null);
  const task = other ?? current;
  const [format, setFormat] = useState('folders');
  /** Typed; else what is proposed. */
  const [typed, setTyped] = useState<string | null>(null);
  const { data: formats = [] } = useQuery({
    queryKey: ['record', 'formats'],
    queryFn: async () => (await answer(api.formats.$get())).formats,
  });
  const chosen = formats.find(({ name }) => name === format);
  const out = typed ?? chosen?.out ?? '';
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        onStart({ kind: 'export', format, out, task });
        setTyped(null);
      }}
    >
      <label className="choice">
        <span>As</span>
        <select
          value={format}
          onChange={(event) => {
            setFormat(event.target.value);
            setTyped(null);
          }}
        >
          {formats.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {tasks.length > 1 && (
        <label className="choice">
          <span>Labels of</span>
          <select aria-label="Task to export" value={task} onChange={(event) => setOther(event.target.value)}>
            {tasks.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <label className="choice">
        <span>To</span>
        <input
          required
          placeholder="/path/of/a/new/folder"
          value={out}
          onChange={(event) => setTyped(event.target.value)}
          size={tasks.length > 1 ? 36 : 52}
        />
      </label>
      <button type="submit" disabled={busy || out === ''}>
        Export
      </button>
      {chosen && (
        <p className="hint whole">
          {chosen.description.slice(0, 1).toUpperCase() + chosen.description.slice(1)}
          {chosen.loses.length > 0 && `. It does not keep: ${chosen.loses.join('; ')}`}.
        </p>
      )}
    </form>
  );
}
