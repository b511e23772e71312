/** `add`, images a second end to end, against decoding every image once with sharp in the same process count. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, median, rounded, timed } from './process.ts';

const PHOTOS = 2000;
const ROUNDS = 3;

export function run(): Promise<unknown> {
  const set = join(dataSet('coco-train128'), 'images');
  return inScratch(async (dir) => {
    await uniquePhotos(set, PHOTOS, join(dir, 'photos'));
    const count = readdirSync(join(dir, 'photos')).length;
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { seconds } = await labelsmith(['add', 'photos', '--workspace', `workspace-${round}`], dir);
      const decoded = await timed(resolve(import.meta.dirname, 'sharp-decode.ts'), [join(dir, 'photos')], dir);
      rounds.push({ add: count / seconds, decode: count / decoded.seconds });
    }
    return {
      photos: count,
      rounds: ROUNDS,
      imagesPerSecond: rounded(median(rounds.map(({ add }) => add)), 1),
      sharpDecodesPerSecond: rounded(median(rounds.map(({ decode }) => decode)), 1),
      shareOfDecoding: rounded(median(rounds.map(({ add, decode }) => add / decode)), 3),
    };
  });
}
