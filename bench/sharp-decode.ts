/**
 * The yardstick of `add`: every file of a folder read and decoded once by sharp, as fast as sharp's own defaults go with
 * several at once. Nothing is hashed, compared or kept.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node bench/sharp-decode.ts FOLDER');
const names = readdirSync(folder);
sharp.cache(false);
sharp.concurrency(1);
let next = 0;
let pixels = 0;
async function worker(): Promise<void> {
  for (let i = next++; i < names.length; i = next++) {
    const { info } = await sharp(join(folder, names[i])).raw().toBuffer({ resolveWithObject: true });
    pixels += info.width * info.height;
  }
}
await Promise.all(Array.from({ length: 2 * availableParallelism() }, worker));
process.stdout.write(JSON.stringify({ images: names.length, pixels }));
