/** What tests of people's corrections begin with, and how they read what `import` says of them. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runJson } from './cli.ts';
import { jpegScene } from './fixtures/images.ts';

interface Counts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly confirmed: number;
  readonly unchanged: number;
}

interface Problem {
  readonly reason: string;
  readonly count: number;
  readonly examples: readonly { readonly what?: string }[];
}

export interface Imported {
  readonly corrections:
    | (Counts & { readonly objects: Counts; readonly labels: Counts; readonly comparedWith: string })
    | null;
  readonly reckoning: { readonly problems: readonly Problem[] };
}

/** `added 1, changed 2`: what is not 0. */
export function countsOf(counts: Counts | undefined): string {
  const { added, changed, removed, confirmed, unchanged } = counts ?? assert.fail('nothing was corrected');
  return Object.entries({ added, changed, removed, confirmed, unchanged })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

/** Two photographs with boxes and classes that a machine found. */
export async function withMachineBoxes(dir: string): Promise<void> {
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), await jpegScene(160, 120, 1));
  await writeFile(join(dir, 'photos', 'b.jpg'), await jpegScene(160, 120, 2));
  await runJson(['add', 'photos'], { cwd: dir });
  const box = (x: number, name: string) => ({
    box: [x, 10, x + 30, 50],
    labels: [{ class: name, confidence: 0.9, origin: 'detector', task: 'objects' }],
  });
  const rows = [
    { file: 'a.jpg', regions: [box(10, 'cat'), box(50, 'dog'), box(100, 'vase')] },
    { file: 'b.jpg', regions: [box(10, 'cat')] },
  ];
  await writeFile(join(dir, 'machine.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
}
