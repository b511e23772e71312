/**
 * Labels in a format that nobody else has: read here, handed over as CSV, which says all there is to say of a box. Each
 * line of the file is `photo.jpg x1 y1 x2 y2 class`, in pixels of the upright image.
 *
 *     node examples/own-format.ts ~/photos boxes.txt
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTo, importIn, openSources, openWorkspace } from 'labelsmith';

const [folder = 'photos', boxes = 'boxes.txt'] = process.argv.slice(2);
const run = { seed: 0, threads: 2 };

async function* rows(path: string): AsyncGenerator<string> {
  yield 'file,class,x1,y1,x2,y2\n';
  const file = await open(path);
  for await (const line of file.readLines()) {
    const [, photo, numbers, className] = /^(\S+) ((?:[\d.]+ ){4})(.+)$/.exec(line) ?? [];
    if (photo === undefined || numbers === undefined || className === undefined) continue;
    yield [photo, `"${className.replaceAll('"', '""')}"`, ...numbers.trim().split(' ')].join(',').concat('\n');
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'own-format-'));
const csv = join(scratch, 'labels.csv');
await writeFile(csv, rows(boxes));

const workspace = await openWorkspace('.labelsmith', { create: true });
await addTo(workspace, await openSources(workspace, [folder]), { ...run, sync: false });
const { regions, unmatched } = await importIn(workspace, 'csv', csv, { ...run, as: 'human' });
console.log(`${regions} boxes, ${unmatched} of images that are not there`);
await workspace.close();
await rm(scratch, { recursive: true });
