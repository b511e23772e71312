/**
 * Pages of many kinds, each of which says something else, drawn by code from a seed: text, forms, tables, screens, charts, plans,
 * scans and frames. Pages of one kind have one layout, which is what makes them hard to tell apart.
 */
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../../src/core/random.ts';
import { BAR_KINDS, bars } from './bars.ts';
import * as documents from './documents.ts';
import * as drawings from './drawings.ts';
import * as screens from './screens.ts';
import type { Random, Sheet } from './sheet.ts';

const { letter, ...plainDocuments } = documents;
const SHEETS: Readonly<Record<string, (random: Random) => Sheet>> = {
  letter: (random) => letter(random),
  ...plainDocuments,
  ...screens,
  ...drawings,
};

/** Scans of letters: grey or yellow paper, not quite sharp, shaded and grainy. */
const SCANS = ['scan', 'grainy scan'] as const;

export const PAGE_KINDS: readonly string[] = [...Object.keys(SHEETS), ...SCANS, ...Object.keys(BAR_KINDS)].sort();

/** A page as it would be saved. */
export async function page(kind: string, seed: number): Promise<Buffer> {
  const random = seededRandom(seed, kind);
  if (kind in BAR_KINDS) return bars(kind, random).png().toBuffer();
  if (kind === 'scan') return sharp(letter(random, '#d8d0bc').svg()).blur(0.6).jpeg({ quality: 80 }).toBuffer();
  if (kind === 'grainy scan') return grainy(letter(random, '#c9c9c4'), random).jpeg({ quality: 75 }).toBuffer();
  return sharp(SHEETS[kind](random).svg()).png().toBuffer();
}

/** Darker to one side, with grain of its own. */
function grainy(sheet: Sheet, random: Random): Sharp {
  const { width, height } = sheet;
  const grain = new Uint8Array(width * height);
  const shade = 20 * random();
  for (let at = 0; at < grain.length; at++) {
    grain[at] = 255 - 18 * (random() + random()) - (shade * (at % width)) / width;
  }
  return sharp(sheet.svg())
    .blur(0.5)
    .composite([{ input: Buffer.from(grain), raw: { width, height, channels: 1 }, blend: 'multiply' }]);
}
