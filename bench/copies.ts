/**
 * Which copies of pictures are known as such, and which pictures are joined that are no copies.
 *
 * Copies are made of every n-th picture of each set, and of every page, and saved as JPEG again. Not copies are pictures of different
 * classes, and pages (`pages/`), each of which says something else; what is joined within a class is counted apart, since the
 * sets do not say whether it is a copy. The limits of `images/copies/compare.ts` are chosen with one set or one kind of page left
 * out, and its figures are those of the limits that the others chose: the greatest share of copies found less the share of
 * pictures joined with another one, on the mean over sets and over kinds of pages, which count alike.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../src/core/random.ts';
import { type Agreement, COPY_LIMITS, type CopyLimits, isWithin, PrintComparer } from '../src/images/copies/compare.ts';
import { CopySearch } from '../src/images/copies/search.ts';
import { hashWholes } from '../src/images/copies/wholes.ts';
import { findNearDuplicates } from '../src/images/duplicates.ts';
import { inspect } from '../src/images/inspect.ts';
import { PAGE_KINDS, page } from './pages/pages.ts';
import { dataSet } from './photos.ts';
import { JUNK_SET, LABELLED } from './piles/vectors.ts';
import { rounded } from './process.ts';

/** The pictures of the other one are of 32 × 32 pixels: a print of one is the picture. */
const SETS = [...LABELLED.filter((set) => set !== 'cifar10-test'), JUNK_SET].sort();
/** One copy of each, so that no copy is found by way of another one. */
const COPIED_OF_A_SET = 330;
const PAGES_OF_A_KIND = 40;
const CORRELATIONS = [0.93, 0.95, 0.97, 0.98] as const;
const EXCESSES = [6, 8, 10, 12, 16, 20] as const;
const DETAILS = [0.71, 0.74, 0.77, 0.8, 0.83, 0.86, 0.89] as const;
const LOOSEST: CopyLimits = {
  minCorrelation: CORRELATIONS[0],
  maxExcess: Math.max(...EXCESSES),
  minDetail: DETAILS[0],
};

type Random = () => number;

/** What is done to a picture of this size. Crops keep this share of the area, anywhere, with about the shape of before. */
const CHANGES: Readonly<Record<string, (image: Sharp, size: Size, random: Random) => Sharp>> = {
  'quality 25': (image) => image.jpeg({ quality: 25 }),
  'half the size': (image, { width }) => image.resize(Math.max(1, Math.round(width / 2))),
  brighter: (image) => image.linear(1.15, 12),
  darker: (image) => image.linear(0.8, 0),
  mirrored: (image) => image.flop(),
  'upside down': (image) => image.flip(),
  'turned by 90': (image) => image.rotate(90),
  'turned by 270': (image) => image.rotate(270),
  'cropped to 95 %': (image, size, random) => crop(image, size, 0.95, random),
  'cropped to 85 %': (image, size, random) => crop(image, size, 0.85, random),
  'cropped to 70 %': (image, size, random) => crop(image, size, 0.7, random),
};

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Picture extends Size {
  readonly print: Uint8Array;
  readonly hash: string;
  readonly className: string;
  /** Its own number, or that of the picture that it is a copy of. */
  readonly original: number;
  readonly change?: string;
}

/** Two pictures that were compared. */
interface Pair {
  readonly a: Picture;
  readonly b: Picture;
  /** Undefined where their perceptual hashes are near: only their details count then. */
  readonly likeness: Agreement | undefined;
  readonly detail: number;
}

interface Found {
  readonly name: string;
  readonly isPages: boolean;
  readonly pictures: readonly Picture[];
  readonly originals: number;
  /** Copies of each change. */
  readonly copies: ReadonlyMap<string, number>;
  readonly pairs: readonly Pair[];
}

function crop(image: Sharp, { width, height }: Size, area: number, random: Random): Sharp {
  // The shares of the sides differ by up to 8 per cent.
  const across = Math.min(1, Math.sqrt(area) * (0.96 + 0.08 * random()));
  const kept = { width: Math.round(width * across), height: Math.round(height * Math.min(1, area / across)) };
  const left = Math.floor(random() * (width - kept.width + 1));
  const top = Math.floor(random() * (height - kept.height + 1));
  return image.extract({ left, top, width: kept.width, height: kept.height });
}

async function pictureOf(
  bytes: Uint8Array,
  known: Pick<Picture, 'className' | 'original' | 'change'>,
): Promise<Picture> {
  const { print, perceptualHash, width, height } = await inspect(bytes);
  if (print === undefined) throw new Error('no print');
  return { print, hash: perceptualHash, width, height, ...known };
}

async function picturesOf(
  sources: readonly { readonly className: string; bytes(): Promise<Uint8Array> }[],
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const every = Math.max(1, Math.floor(sources.length / COPIED_OF_A_SET));
  const changes = Object.entries(CHANGES);
  for (const [original, { className, bytes }] of sources.entries()) {
    const file = await bytes();
    const whole = await pictureOf(file, { className, original });
    pictures.push(whole);
    if (original % every !== 0) continue;
    const [change, apply] = changes[Math.floor(original / every) % changes.length];
    const upright = await sharp(file).rotate().png({ compressionLevel: 0 }).toBuffer();
    const changed = apply(sharp(upright), whole, seededRandom(original, change));
    const saved = await (change.startsWith('quality') ? changed : changed.jpeg({ quality: 85 })).toBuffer();
    pictures.push(await pictureOf(saved, { className, original, change }));
  }
  return pictures;
}

function compared(name: string, isPages: boolean, pictures: readonly Picture[]): Found {
  const columns = {
    count: pictures.length,
    print: (i: number) => pictures[i].print,
    logAspect: Float32Array.from(pictures, ({ width, height }) => Math.log(width / height)),
  };
  const pairs: Pair[] = [];
  const keep = (i: number, j: number, detail: number, likeness?: Agreement) => {
    const [a, b] = [pictures[i], pictures[j]];
    pairs.push({ a, b, detail, likeness });
  };
  const comparer = new PrintComparer();
  const half = (start: number) =>
    Uint32Array.from(pictures, ({ hash }) => Number.parseInt(hash.slice(start, start + 8), 16));
  findNearDuplicates({ high: half(0), low: half(8), logAspect: columns.logAspect }, (i, j) =>
    keep(i, j, comparer.detailAsTheyLie(pictures[i].print, pictures[j].print)),
  );
  const search = new CopySearch(columns, hashWholes(columns), undefined, LOOSEST);
  for (let i = 0; i < pictures.length; i++) {
    search.of(i, (j, likeness) => keep(i, j, likeness.detail, likeness));
  }
  const copies = new Map<string, number>();
  for (const { change } of pictures) if (change !== undefined) copies.set(change, (copies.get(change) ?? 0) + 1);
  const originals = pictures.filter(({ change }) => change === undefined).length;
  return { name, isPages, pictures, originals, copies, pairs };
}

interface Figures {
  readonly recall: number;
  /** Copies found of each change. */
  readonly byChange: ReadonlyMap<string, number>;
  /** Pairs of originals, or of copies of them, that are of other classes, and of the same one. */
  readonly otherClassPairs: number;
  readonly sameClassPairs: number;
  /** Originals that are in such a pair with another class. */
  readonly joinedWrongly: number;
}

function figures({ copies, pairs }: Found, limits: CopyLimits): Figures {
  const found = new Map<Picture, string>();
  const [others, same] = [new Set<string>(), new Set<string>()];
  const wrong = new Set<number>();
  for (const { a, b, likeness, detail } of pairs) {
    if (likeness === undefined ? detail < limits.minDetail : !isWithin(likeness, limits)) continue;
    if (a.original === b.original) {
      if (a.change !== undefined && b.change !== undefined) continue;
      const copy = a.change === undefined ? b : a;
      found.set(copy, copy.change ?? '');
      continue;
    }
    const key = `${Math.min(a.original, b.original)} ${Math.max(a.original, b.original)}`;
    (a.className === b.className ? same : others).add(key);
    if (a.className !== b.className) wrong.add(a.original).add(b.original);
  }
  const byChange = new Map<string, number>();
  for (const change of found.values()) byChange.set(change, (byChange.get(change) ?? 0) + 1);
  const total = [...copies.values()].reduce((sum, n) => sum + n, 0);
  return {
    recall: found.size / total,
    byChange,
    otherClassPairs: others.size,
    sameClassPairs: same.size,
    joinedWrongly: wrong.size,
  };
}

const GRID: readonly CopyLimits[] = CORRELATIONS.flatMap((minCorrelation) =>
  EXCESSES.flatMap((maxExcess) => DETAILS.map((minDetail) => ({ minCorrelation, maxExcess, minDetail }))),
);

/** Share of copies found less the share of pictures joined wrongly, by place in the grid. */
function scores(set: Found): readonly number[] {
  return GRID.map((limits) => {
    const { recall, joinedWrongly } = figures(set, limits);
    return recall - joinedWrongly / set.originals;
  });
}

function chosen(sets: readonly Found[], scoresOf: ReadonlyMap<Found, readonly number[]>): CopyLimits {
  const mean = (of: readonly Found[], at: number) =>
    of.reduce((sum, set) => sum + (scoresOf.get(set)?.[at] ?? 0), 0) / of.length;
  const [pages, photographs] = [sets.filter(({ isPages }) => isPages), sets.filter(({ isPages }) => !isPages)];
  const values = GRID.map((_, at) => mean(pages, at) + mean(photographs, at));
  return GRID[values.indexOf(Math.max(...values))];
}

/** Photographs of COCO stand in one folder; the numbers of pc-parts are photographs, some of them in several folders. */
function classOf(set: string, file: string): string {
  if (set === 'pc-parts') return /\d+/.exec(basename(file))?.[0] ?? file;
  return set === 'coco-train128' ? file : dirname(file);
}

function shown(set: Found, limits: CopyLimits) {
  const { recall, byChange, ...counts } = figures(set, limits);
  const shares = [...set.copies].map(([change, n]) => [change, rounded((byChange.get(change) ?? 0) / n, 2)] as const);
  return { recall: rounded(recall), ...counts, byChange: Object.fromEntries(shares) };
}

/** All kinds of pages as one: copies of a kind are few. */
function pagesTogether(pages: readonly (readonly [Found, CopyLimits])[]) {
  const [found, copies] = [new Map<string, number>(), new Map<string, number>()];
  let [originals, joinedWrongly] = [0, 0];
  for (const [set, limits] of pages) {
    const { byChange, joinedWrongly: wrong } = figures(set, limits);
    originals += set.originals;
    joinedWrongly += wrong;
    for (const [change, n] of set.copies) {
      copies.set(change, (copies.get(change) ?? 0) + n);
      found.set(change, (found.get(change) ?? 0) + (byChange.get(change) ?? 0));
    }
  }
  const shares = [...copies].map(([change, n]) => [change, rounded((found.get(change) ?? 0) / n, 2)] as const);
  return { originals, joinedWrongly, byChange: Object.fromEntries(shares) };
}

async function photographsOf(name: string): Promise<Found> {
  const folder = dataSet(name);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const sources = files
    .filter((file) => /\.(jpe?g|png|bmp)$/i.test(file))
    .map((file) => ({ className: classOf(name, file), bytes: () => readFile(join(folder, file)) }));
  return compared(name, false, await picturesOf(sources));
}

async function pagesOf(kind: string): Promise<Found> {
  const sources = Array.from({ length: PAGES_OF_A_KIND }, (_, seed) => ({
    className: String(seed),
    bytes: () => page(kind, seed),
  }));
  return compared(kind, true, await picturesOf(sources));
}

export async function run(): Promise<unknown> {
  const sets: Found[] = [];
  for (const name of SETS) sets.push(await photographsOf(name));
  for (const kind of PAGE_KINDS) sets.push(await pagesOf(kind));
  const scoresOf = new Map(sets.map((set) => [set, scores(set)]));
  const leftOut = sets.map((set) => {
    const others = sets.filter((other) => other !== set);
    return [set, chosen(others, scoresOf)] as const;
  });
  const areOfPages = ([{ isPages }]: readonly [Found, CopyLimits]) => isPages;
  const shipped = sets.map((set) => [set, COPY_LIMITS] as const);
  return {
    leftOut: Object.fromEntries(leftOut.map(([set, limits]) => [set.name, { limits, ...shown(set, limits) }])),
    pagesLeftOut: pagesTogether(leftOut.filter(areOfPages)),
    chosenOnAll: chosen(sets, scoresOf),
    shipped: COPY_LIMITS,
    asShipped: Object.fromEntries(sets.map((set) => [set.name, shown(set, COPY_LIMITS)])),
    pagesAsShipped: pagesTogether(shipped.filter(areOfPages)),
  };
}
