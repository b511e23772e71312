/**
 * `detect --pose`: keypoints of the built-in models against the same weights under tfjs WASM, on the same crops of COCO's
 * people; the largest and the mean distance in pixels of the image. About half a minute.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../src/fetch/cache.ts';
import { fetchFiles } from '../src/fetch/fetch.ts';
import { decodeUpright } from '../src/images/decode.ts';
import { regionSquares } from '../src/images/region-squares.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';
import { openPose } from '../src/models/pose.ts';
import { HIDDEN_SCORE } from '../src/stages/detect/pose.ts';
import { openReference } from '../test/parity/tfjs-reference.ts';
import { readCoco } from './coco-boxes.ts';
import { dataSet } from './photos.ts';
import { rounded } from './process.ts';

const PEOPLE = 60;
const PERSON = 1;
const MARGIN = 0.1;

export async function run(): Promise<unknown> {
  const set = dataSet('coco-train128');
  const people = [...readCoco(join(set, 'instances.json'))]
    .flatMap(([file, { boxes }]) =>
      boxes.filter(({ category }) => category === PERSON).map(({ box }) => ({ file, box })),
    )
    .slice(0, PEOPLE);
  const results: Record<string, unknown> = {};
  for (const name of ['movenet-lightning', 'movenet-thunder']) {
    const entry = CATALOGUE.find(({ id }) => id === name);
    if (entry?.role !== 'pose') throw new Error(`no ${name} in the catalogue`);
    const [json, weights] = await fetchFiles(entry.source.files, { cacheDir: cacheDirectory() });
    if (!json || !weights) throw new Error(`${name} has two files`);
    const pose = await openPose(name, { threads: 1 });
    const network = await openReference(readFileSync(json.path), readFileSync(weights.path));
    const { width: size, pad, kernel } = pose.input;
    const apart: number[] = [];
    let [ourMs, theirMs] = [0, 0];
    for (const { file, box } of people) {
      const bytes = readFileSync(join(set, 'images', file));
      const [square] = await regionSquares(bytes, await decodeUpright(bytes), [box], {
        size,
        pad,
        kernel,
        margin: MARGIN,
      });
      if (!square) throw new Error('one box has one square');
      const startedAt = performance.now();
      const ours = await pose.estimate(square.pixels);
      const between = performance.now();
      const [theirs] = network.run(Int32Array.from(square.pixels), [1, size, size, 3], [entry.output]);
      ourMs += between - startedAt;
      theirMs += performance.now() - between;
      if (!theirs) throw new Error(`tfjs gives no ${entry.output}`);
      for (let i = 0; i < ours.length; i += 3) {
        // MoveNet says y, x, score, as shares of its input.
        const [y, x, score] = theirs.data.subarray(i, i + 3) as unknown as [number, number, number];
        if (Math.max(score, ours[i + 2]) < HIDDEN_SCORE) continue;
        apart.push(Math.hypot(ours[i] - x * size, ours[i + 1] - y * size) / square.scale);
      }
    }
    results[name] = {
      people: people.length,
      keypoints: apart.length,
      largestPixelsApart: rounded(Math.max(...apart), 4),
      meanPixelsApart: rounded(apart.reduce((sum, one) => sum + one, 0) / apart.length, 4),
      msPerPerson: rounded(ourMs / people.length, 1),
      tfjsMsPerPerson: rounded(theirMs / people.length, 1),
    };
    network.close();
    await pose.close();
  }
  return results;
}
