/**
 * Peak resident memory of `add` and `detect` by the number of photographs: flat, but for what is stated in bytes an
 * image. `detect` runs on all photographs of the small sets and on a slice of the others (`--limit`), with the records
 * of all of them there.
 */
import { join } from 'node:path';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const SIZES = [100, 1000, 10_000];
const DETECT_LIMIT = 300;

export async function run(): Promise<unknown> {
  const set = join(dataSet('coco-train128'), 'images');
  const rows: { photos: number; addPeakMB: number; detectPeakMB: number }[] = [];
  for (const photos of SIZES) {
    rows.push(
      await inScratch(async (dir) => {
        await uniquePhotos(set, photos, join(dir, 'photos'));
        const add = await labelsmith(['add', 'photos'], dir);
        const detect = await labelsmith(['detect', '--limit', String(DETECT_LIMIT)], dir);
        return { photos, addPeakMB: megabytes(add.peakBytes), detectPeakMB: megabytes(detect.peakBytes) };
      }),
    );
    process.stderr.write(`  ${JSON.stringify(rows.at(-1))}\n`);
  }
  const growth = (pick: (row: (typeof rows)[number]) => number) => {
    const largest = rows.at(-1) as (typeof rows)[number];
    const middle = rows.at(-2) as (typeof rows)[number];
    return {
      ratioOfLargestTo1000: rounded(pick(largest) / pick(middle), 3),
      bytesAnImage: Math.round(((pick(largest) - pick(middle)) * 1e6) / (largest.photos - middle.photos)),
    };
  };
  return { rows, add: growth((row) => row.addPeakMB), detect: growth((row) => row.detectPeakMB) };
}

function megabytes(bytes: number): number {
  return rounded(bytes / 1e6, 1);
}
