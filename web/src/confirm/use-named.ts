/** What was named on a screenful: done at once, and open again where the write failed, was undone or written over. */
import { useState } from 'react';
import type { Cell } from '../api/client.ts';

const NOTHING: ReadonlySet<string> = new Set();

export function useNamed(cellOf: ReadonlyMap<string, Cell>) {
  const [sent, setSent] = useState(NOTHING);
  const [written, setWritten] = useState(NOTHING);
  const isHuman = (id: string) => cellOf.get(id)?.labels[0]?.origin === 'human';
  return {
    named: new Set([...sent, ...[...written].filter(isHuman)]),
    name(ids: readonly string[], write: Promise<boolean>): void {
      setSent(new Set([...sent, ...ids]));
      void write.then((done) => {
        if (done) setWritten((before) => new Set([...before, ...ids]));
        setSent((before) => new Set([...before].filter((id) => !ids.includes(id))));
      });
    },
    forget(): void {
      setSent(NOTHING);
      setWritten(NOTHING);
    },
  };
}
