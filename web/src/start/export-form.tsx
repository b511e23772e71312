import { useState } from 'react';
import type { JobRequest } from '../api/client.ts';

const FORMATS = [
  'folders',
  'csv',
  'coco',
  'yolo',
  'voc',
  'crops',
  'jsonl',
  'parquet',
  'label-studio',
  'cvat',
  'hf',
  'webdataset',
  'xmp',
];

interface ExportFormProps {
  readonly task: string;
  readonly busy: boolean;
  readonly onStart: (request: JobRequest) => void;
}

export function ExportForm({ task, busy, onStart }: ExportFormProps) {
  const [format, setFormat] = useState('folders');
  const [out, setOut] = useState('');
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
          {FORMATS.map((name) => (
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
    </form>
  );
}
