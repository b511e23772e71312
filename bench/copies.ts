/**
 * Which copies of pictures are known as such, and which pictures that are none.
 *
 * Copies are made of every n-th picture of each set and saved as JPEG again. Not copies are pictures of different classes, and
 * pages (text, forms, tables, screenshots) of which each says something else; what is joined within a class is counted apart,
 * since the sets do not say whether it is a copy. The limits of `images/copies/compare.ts` are chosen with one set left out,
 * and the figures of a set are those of the limits that the others chose: the most copies found, on the mean over the sets,
 * with at least {@link MIN_PRECISION} of what is joined right.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../src/core/random.ts';
import { COPY_LIMITS, type CopyLimits, isWithin, PAGE_LIMITS, pageLikeness } from '../src/images/copies/compare.ts';
import type { Likeness } from '../src/images/copies/likeness.ts';
import { isPage } from '../src/images/copies/print.ts';
import { CopySearch } from '../src/images/copies/search.ts';
import { hashWholes } from '../src/images/copies/wholes.ts';
import { MAX_LOG_ASPECT_DIFFERENCE, NEAR_DUPLICATE_DISTANCE } from '../src/images/duplicates.ts';
import { hammingDistance } from '../src/images/hash.ts';
import { inspect } from '../src/images/inspect.ts';
import { PAGE_KINDS, page } from './pages.ts';
import { dataSet } from './photos.ts';
import { JUNK_SET, LABELLED } from './piles/vectors.ts';
import { rounded } from './process.ts';

/** The pictures of the other one are of 32 × 32 pixels: a print of one is the picture. */
const SETS = [...LABELLED.filter((set) => set !== 'cifar10-test'), JUNK_SET].sort();
/** One copy of each, so that no copy is found by way of another one. */
const COPIED_OF_A_SET = 330;
const PAGES_OF_A_KIND = 330;
const MIN_PRECISION = 0.995;
const CORRELATIONS = [0.95, 0.97, 0.98, 0.985, 0.99, 0.995] as const;
const EXCESSES = [3, 4, 5, 6, 7, 8, 10, 12] as const;

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

interface Pair {
  readonly kind: 'copy' | 'same class' | 'other class';
  readonly change: string;
  /** Undefined where prints were not compared. */
  readonly likeness: Likeness | undefined;
  /** Of two pages, which need more (`PAGE_COPY_LIMITS`). */
  readonly minDetail?: number;
  /** Whether the perceptual hash alone joins them. */
  readonly byHash: boolean;
}

interface Found {
  readonly name: string;
  readonly pictures: readonly Picture[];
  /** Copies whose original is known. */
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

function areNear(a: Picture, b: Picture): boolean {
  const isUnlike = Math.abs(Math.log((a.width * b.height) / (a.height * b.width))) > MAX_LOG_ASPECT_DIFFERENCE;
  return !isUnlike && hammingDistance(a.hash, b.hash) <= NEAR_DUPLICATE_DISTANCE;
}

function isJoinedByHash(a: Picture, b: Picture): boolean {
  if (!areNear(a, b)) return false;
  return !isPage(a.print) || !isPage(b.print) || isWithin(pageLikeness(a.print, b.print), PAGE_LIMITS);
}

function compared(name: string, pictures: readonly Picture[]): Found {
  const columns = {
    count: pictures.length,
    print: (i: number) => pictures[i].print,
    logAspect: Float32Array.from(pictures, ({ width, height }) => Math.log(width / height)),
  };
  const best = new Map<string, Pair>();
  const originals = new Map(pictures.flatMap((one, i) => (one.change === undefined ? [[one.original, i]] : [])));
  for (const [i, { original, change }] of pictures.entries()) {
    if (change === undefined) continue;
    const of = originals.get(original) as number;
    const byHash = isJoinedByHash(pictures[of], pictures[i]);
    best.set(`${of} ${i}`, { kind: 'copy', change, likeness: undefined, byHash });
  }
  const search = new CopySearch(columns, hashWholes(columns));
  for (let i = 0; i < pictures.length; i++) {
    search.of(i, (j, likeness, { minDetail }) => {
      const [a, b] = [pictures[Math.min(i, j)], pictures[Math.max(i, j)]];
      const kind = a.original === b.original ? 'copy' : a.className === b.className ? 'same class' : 'other class';
      const key = `${Math.min(i, j)} ${Math.max(i, j)}`;
      const before = best.get(key);
      if (before?.likeness !== undefined && before.likeness.excess <= likeness.excess) return;
      best.set(key, { kind, change: b.change ?? '', likeness, minDetail, byHash: before?.byHash ?? false });
    });
  }
  const copies = new Map<string, number>();
  for (const { change } of pictures) if (change !== undefined) copies.set(change, (copies.get(change) ?? 0) + 1);
  return { name, pictures, copies, pairs: [...best.values()] };
}

function figures({ copies, pairs }: Found, limits: CopyLimits) {
  const found = new Map<string, number>();
  const count = { copy: 0, 'same class': 0, 'other class': 0 };
  for (const { kind, change, likeness, minDetail, byHash } of pairs) {
    if (!byHash && (likeness === undefined || !isWithin(likeness, { ...limits, minDetail }))) continue;
    count[kind]++;
    if (kind === 'copy') found.set(change, (found.get(change) ?? 0) + 1);
  }
  const total = [...copies.values()].reduce((sum, n) => sum + n, 0);
  return {
    recall: count.copy / total,
    right: count.copy,
    wrong: count['other class'],
    sameClass: count['same class'],
    byChange: Object.fromEntries([...copies].map(([change, n]) => [change, rounded((found.get(change) ?? 0) / n, 2)])),
  };
}

const GRID: readonly CopyLimits[] = CORRELATIONS.flatMap((minCorrelation) =>
  EXCESSES.map((maxExcess) => ({ minCorrelation, maxExcess })),
);

function chosen<T>(
  sets: readonly T[],
  figuresOf: (set: T, limits: CopyLimits) => { recall: number; right: number; wrong: number },
) {
  let best: { limits: CopyLimits; recall: number; precision: number } | undefined;
  for (const limits of GRID) {
    const all = sets.map((set) => figuresOf(set, limits));
    const [right, wrong] = [
      all.reduce((sum, { right }) => sum + right, 0),
      all.reduce((sum, { wrong }) => sum + wrong, 0),
    ];
    const precision = right / Math.max(1, right + wrong);
    const recall = all.reduce((sum, one) => sum + one.recall, 0) / all.length;
    if (precision >= MIN_PRECISION && (best === undefined || recall > best.recall))
      best = { limits, recall, precision };
  }
  return best;
}

/** Photographs of COCO stand in one folder; the numbers of pc-parts are photographs, some of them in several folders. */
function classOf(set: string, file: string): string {
  if (set === 'pc-parts') return /\d+/.exec(basename(file))?.[0] ?? file;
  return set === 'coco-train128' ? file : dirname(file);
}

/** Pages that the perceptual hash alone would join: copies of one page, and pages that say something else. */
function pageFigures({ pictures }: Found, limits: CopyLimits) {
  let [copies, right, others, wrong] = [0, 0, 0, 0];
  for (const [i, a] of pictures.entries()) {
    for (const b of pictures.slice(0, i)) {
      if (!areNear(a, b) || !isPage(a.print) || !isPage(b.print)) continue;
      const joined = isWithin(pageLikeness(a.print, b.print), limits);
      if (a.original === b.original) {
        if (isCropped(a) || isCropped(b)) continue;
        copies++;
        if (joined) right++;
      } else {
        others++;
        if (joined) wrong++;
      }
    }
  }
  return { recall: right / Math.max(1, copies), copies, right, others, wrong };
}

const isCropped = ({ change }: Picture) => change?.startsWith('cropped') ?? false;

function shown({ recall, right, wrong, sameClass, byChange }: ReturnType<typeof figures>) {
  return {
    recall: rounded(recall),
    precision: rounded(right / Math.max(1, right + wrong), 4),
    otherClassPairs: wrong,
    sameClassPairs: sameClass,
    byChange,
  };
}

export async function run(): Promise<unknown> {
  const sets: Found[] = [];
  for (const name of SETS) {
    const folder = dataSet(name);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    const sources = files
      .filter((file) => /\.(jpe?g|png|bmp)$/i.test(file))
      .map((file) => ({
        className: classOf(name, file),
        bytes: () => readFile(join(folder, file)),
      }));
    sets.push(compared(name, await picturesOf(sources)));
  }
  const pages: Found[] = [];
  for (const kind of Object.keys(PAGE_KINDS)) {
    const sources = Array.from({ length: PAGES_OF_A_KIND }, (_, seed) => ({
      className: String(seed),
      bytes: async () => new Uint8Array(await page(kind, seed).png().toBuffer()),
    }));
    pages.push(compared(kind, await picturesOf(sources)));
  }
  const all = [...sets, ...pages];
  const leftOut = all.map((set) => {
    const limits =
      chosen(
        all.filter((other) => other !== set),
        figures,
      )?.limits ?? COPY_LIMITS;
    return [set.name, { pictures: set.pictures.length, limits, ...shown(figures(set, limits)) }] as const;
  });
  const pagesLeftOut = pages.map((set) => {
    const limits =
      chosen(
        pages.filter((other) => other !== set),
        pageFigures,
      )?.limits ?? PAGE_LIMITS;
    return [set.name, { limits, ...pageFigures(set, limits) }] as const;
  });
  return {
    copies: {
      leftOut: Object.fromEntries(leftOut),
      chosenOnAll: chosen(all, figures),
      shipped: COPY_LIMITS,
      asShipped: Object.fromEntries(all.map((set) => [set.name, shown(figures(set, COPY_LIMITS))])),
    },
    pages: {
      leftOut: Object.fromEntries(pagesLeftOut),
      chosenOnAll: chosen(pages, pageFigures),
      shipped: PAGE_LIMITS,
      asShipped: Object.fromEntries(pages.map((set) => [set.name, pageFigures(set, PAGE_LIMITS)])),
    },
  };
}
