/** Three kinds of patterns made by code, and a workspace with a few of them labelled: what `teach` is tried on. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import { seededRandom } from '../src/core/random.ts';
import { runJson, scratch } from './cli.ts';
import { scenePixels } from './fixtures/images.ts';

export const KINDS = ['level', 'upright', 'odd "name", ünì'] as const;
export const EACH = 14;
export const TAUGHT = 5;

/** Level stripes, upright stripes, squares over different scenes, so that no two are nearly the same picture. */
export async function pattern(kind: number, seed: number): Promise<Buffer> {
  const random = seededRandom(seed, `pattern ${kind}`);
  const size = 120;
  const step = 8 + Math.floor(random() * 10);
  const shade = [0, 1, 2].map(() => 60 + 80 * random());
  const pixels = scenePixels(size, size, 100 * kind + seed);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [row, column] = [Math.floor(y / step) % 2, Math.floor(x / step) % 2];
      const on = kind === 0 ? row : kind === 1 ? column : (row + column) % 2;
      for (let c = 0; c < 3; c++) {
        const at = (y * size + x) * 3 + c;
        pixels[at] = pixels[at] / 2 + on * shade[c];
      }
    }
  }
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}

/** A workspace with the patterns, and a CSV of the labels of some and one of the truth of the rest. */
export async function patternGround(t: TestContext): Promise<string> {
  const dir = await scratch(t);
  await mkdir(join(dir, 'images'));
  const labels = ['file,class'];
  const truth = ['file,class'];
  for (const [kind, name] of KINDS.entries()) {
    for (let i = 0; i < EACH; i++) {
      const file = `${kind}-${i}.png`;
      await writeFile(join(dir, 'images', file), await pattern(kind, i));
      (i < TAUGHT ? labels : truth).push(`${file},"${name.replaceAll('"', '""')}"`);
    }
  }
  await writeFile(join(dir, 'labels.csv'), labels.join('\n'));
  await writeFile(join(dir, 'truth.csv'), truth.join('\n'));
  await runJson(['add', 'images'], { cwd: dir });
  return dir;
}
