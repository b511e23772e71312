/** Pictures made by code, of six kinds of things, each in other colours, places and turns. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../../src/core/random.ts';

const SHAPES: Readonly<Record<string, string>> = {
  star: '<path d="M0-48 13-15 48-14 20 8 30 43 0 22-30 43-20 8-48-14-13-15z"/>',
  heart: '<path d="M0 42C-70-8-32-54 0-22 32-54 70-8 0 42z"/>',
  moon: '<path d="M14-44A46 46 0 1 0 40 26 38 38 0 0 1 14-44z"/>',
  house: '<path d="M-46-4 0-46 46-4H34V42H-34V-4z"/><rect x="-10" y="10" width="20" height="32" fill="#fff8"/>',
  ring: '<circle r="36" fill="none" stroke-width="16"/>',
  arrow: '<path d="M-46-12H8V-36L48 0 8 36V12H-46z"/>',
};

/** File names say the kind, and are only read by this tool. */
export async function drawPile(folder: string, each: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = seededRandom(11);
  const hue = (name: string) => 55 * Object.keys(SHAPES).indexOf(name);
  for (const [name, shape] of Object.entries(SHAPES)) {
    for (let i = 0; i < each; i++) {
      const [h, s, l, ground] = [hue(name) + 40 * random(), 45 + 45 * random(), 30 + 35 * random(), 360 * random()];
      const place = `translate(${110 + 100 * random()} ${90 + 60 * random()}) rotate(${70 * random() - 35}) scale(${1 + 1.2 * random()})`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="hsl(${ground} 30% ${60 + 35 * random()}%)"/><stop offset="1" stop-color="hsl(${ground + 90} 25% ${30 + 60 * random()}%)"/></linearGradient></defs><rect width="320" height="240" fill="url(#g)"/><g transform="${place}" fill="hsl(${h} ${s}% ${l}%)" stroke="hsl(${h} ${s}% ${l}%)">${shape}</g></svg>`;
      await writeFile(join(folder, `${name}-${i}.jpg`), await sharp(Buffer.from(svg)).jpeg({ quality: 88 }).toBuffer());
    }
  }
}
