/**
 * Vectors of every image of the benchmark's sets, and of altered copies of some, made once and kept outside the project.
 *
 * The cache holds a folder a set: `images.json` with class and name of each row, and `VARIANT@MODEL.f32`, float32 [rows,
 * columns], as the embedder gives them. The folder is `LABELSMITH_BENCH_CACHE`, else one in the user's cache.
 */
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import tar from 'tar-stream';
import { pixelsFor } from '../../src/images/pixels-for.ts';
import { type Matrix, newSharedMatrix } from '../../src/math/matrix.ts';
import type { Embedder } from '../../src/models/embedder.ts';
import { DATA, dataSet } from '../photos.ts';

/** Sets whose classes are known, a folder each. `coco-train128` has none: it is junk for the others. */
export const LABELLED = [
  'caltech-30',
  'cartons',
  'cifar10-test',
  'electronics',
  'euro-coins',
  'flowers',
  'household',
  'monkeys',
  'pc-parts',
  'plankton',
  'satellite',
  'steel-strip',
  'trash',
] as const;
export const JUNK_SET = 'coco-train128';

const ORIGINAL = 'original';
/** A fourth of the images has copies: every fourth in order of name. */
const EVERY = 4;
/** Images of a class that are taken from the archive. */
const MAX_FROM_ARCHIVE = 150;

type Alter = (image: Sharp, width: number, height: number) => Sharp | Promise<Sharp>;

/** How a copy differs from its original; all of them are saved as JPEG. */
const COPIES: Readonly<Record<string, Alter>> = {
  smaller: (image, width, height) =>
    image
      .resize(Math.max(16, Math.round(width / 2)), Math.max(16, Math.round(height / 2)), { fit: 'fill' })
      .jpeg({ quality: 85 }),
  recompressed: (image) => image.jpeg({ quality: 30 }),
  cropped: (image, width, height) => cropped(image, width, height, 0.02, 0.08, 0.88).jpeg({ quality: 90 }),
  croppedMore: (image, width, height) => cropped(image, width, height, 0.12, 0.05, 0.8).jpeg({ quality: 60 }),
};
export const COPY_KINDS = Object.keys(COPIES);

/** Other looks at a whole image. */
const VIEWS = {
  mirrored: (image) => image.flop().png(),
  quarter: (image) => image.rotate(90).png(),
  half: (image) => image.rotate(180).png(),
  threeQuarters: (image) => image.rotate(270).png(),
  trimmed,
} satisfies Readonly<Record<string, Alter>>;
export type ViewName = keyof typeof VIEWS;
/** How far a pixel may be from the corner's to be background, of 255. */
const PLAIN = 30;
/** Left around what is not background, as a share of its longer side. */
const AROUND = 0.05;

export interface EmbeddedSet {
  readonly name: string;
  /** Class of every image; −1 for none. */
  readonly classes: Int32Array;
  readonly classNames: readonly string[];
  /** Shape [images, columns], as the embedder gives them. */
  readonly vectors: Matrix;
  /** Vectors of the copies of every {@link EVERY}th image, a matrix a kind of copy. */
  readonly copies: readonly Matrix[];
  /** Of every image as each view shows it. */
  readonly views: readonly Matrix[];
}

interface Listed {
  readonly className: string;
  readonly name: string;
  readonly bytes: () => Buffer;
}

export const cacheFolder = () =>
  process.env.LABELSMITH_BENCH_CACHE ?? join(homedir(), '.cache', 'labelsmith-bench', 'piles');

/** The image of a set that a row of its copies is of. */
export const originalOf = (copy: number) => copy * EVERY;

/** A set's vectors by an embedder; makes what is not in the cache yet. @param withCopies of altered images too */
export async function embeddedSet(
  name: string,
  open: () => Promise<Embedder>,
  key: string,
  {
    withCopies = true,
    viewNames = [],
  }: { readonly withCopies?: boolean; readonly viewNames?: readonly ViewName[] } = {},
): Promise<EmbeddedSet> {
  const folder = join(cacheFolder(), name);
  mkdirSync(folder, { recursive: true });
  const index = join(folder, 'images.json');
  let images: Listed[] | undefined;
  const listed = async () => (images ??= await listImages(name));
  if (!existsSync(index)) {
    const rows = (await listed()).map(({ className, name: file }) => ({ className, name: file }));
    writeWhole(index, Buffer.from(JSON.stringify(rows)));
  }
  const rows = listedImages(name);
  const variant = async (kind: string, alter: Alter | null, wanted: readonly number[]) => {
    const file = join(folder, `${kind}@${key}.f32`);
    if (!existsSync(file)) await embedInto(file, await listed(), wanted, alter, open, `${name} ${kind}`);
    return readMatrix(file, wanted.length);
  };
  const all = rows.map((_, row) => row);
  const vectors = await variant(ORIGINAL, null, all);
  const copies: Matrix[] = [];
  const some = all.filter((row) => row % EVERY === 0);
  for (const kind of withCopies ? COPY_KINDS : []) copies.push(await variant(kind, COPIES[kind] ?? null, some));
  const views: Matrix[] = [];
  for (const kind of viewNames) views.push(await variant(kind, VIEWS[kind], all));
  const classNames = [...new Set(rows.map(({ className }) => className))].filter((one) => one !== '').sort();
  const classes = Int32Array.from(rows, ({ className }) => classNames.indexOf(className));
  return { name, classes, classNames, vectors, copies, views };
}

/** The images of a set in the order of its vectors; {@link embeddedSet} has made the list. */
export function listedImages(name: string): { readonly className: string; readonly name: string }[] {
  return JSON.parse(readFileSync(join(cacheFolder(), name, 'images.json'), 'utf8'));
}

async function embedInto(
  file: string,
  images: readonly Listed[],
  wanted: readonly number[],
  alter: Alter | null,
  open: () => Promise<Embedder>,
  what: string,
): Promise<void> {
  const embedder = await open();
  const { dimensions, input, capacity } = embedder;
  const out = new Float32Array(wanted.length * dimensions);
  const startedAt = performance.now();
  let next = 0;
  const work = async () => {
    for (let at = next++; at < wanted.length; at = next++) {
      const original = (images[wanted[at]] as Listed).bytes();
      const bytes = alter ? await altered(original, alter) : original;
      out.set(await embedder.embed(await pixelsFor(bytes, input), 1), at * dimensions);
    }
  };
  await Promise.all(Array.from({ length: capacity + 2 }, work));
  writeWhole(file, Buffer.from(out.buffer));
  process.stderr.write(
    `  embedded ${what}: ${wanted.length} in ${Math.round((performance.now() - startedAt) / 1000)} s\n`,
  );
}

async function altered(bytes: Buffer, alter: Alter): Promise<Buffer> {
  // Orientation first, or width and height would be those of the file.
  const upright = await sharp(bytes)
    .rotate()
    .flatten({ background: '#fff' })
    .png()
    .toBuffer({ resolveWithObject: true });
  const { data, info } = upright;
  return (await alter(sharp(data), info.width, info.height)).toBuffer();
}

/** What is not plain background, in the middle of a square of that background. */
async function trimmed(image: Sharp): Promise<Sharp> {
  const { data, info } = await image.trim({ threshold: PLAIN }).png().toBuffer({ resolveWithObject: true });
  const corner = await sharp(await image.png().toBuffer())
    .extract({ left: 0, top: 0, width: 1, height: 1 })
    .raw()
    .toBuffer();
  const [r = 255, g = r, b = r] = corner;
  const longer = Math.max(info.width, info.height);
  const side = Math.round(longer * (1 + 2 * AROUND));
  const left = Math.floor((side - info.width) / 2);
  const top = Math.floor((side - info.height) / 2);
  const background = { r, g, b };
  return sharp(data)
    .extend({ left, top, right: side - info.width - left, bottom: side - info.height - top, background })
    .png();
}

/** The part of an image from `left` and `top`, `size` of its width and height, all in shares. */
function cropped(image: Sharp, width: number, height: number, left: number, top: number, size: number): Sharp {
  return image.extract({
    left: Math.floor(width * left),
    top: Math.floor(height * top),
    width: Math.max(1, Math.floor(width * size)),
    height: Math.max(1, Math.floor(height * size)),
  });
}

async function listImages(name: string): Promise<Listed[]> {
  const images =
    name === 'cifar10-test'
      ? await fromArchive(dataSet('cifar10-test.tar'))
      : fromFolders(dataSet(name), name === JUNK_SET ? ['images'] : undefined);
  const order = (a: string, b: string) => (a < b ? -1 : 1);
  return images.sort((a, b) => order(a.className, b.className) || order(a.name, b.name));
}

/** @param without folders that are no classes. */
function fromFolders(folder: string, without: readonly string[] = []): Listed[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: className }) =>
      readdirSync(join(folder, className)).map((name) => ({
        className: without.includes(className) ? '' : className,
        name,
        bytes: () => readFileSync(join(folder, className, name)),
      })),
    );
}

async function fromArchive(path: string): Promise<Listed[]> {
  const files: { path: string; bytes: Buffer }[] = [];
  const extract = createReadStream(path).pipe(tar.extract());
  for await (const entry of extract) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.type === 'file') files.push({ path: entry.header.name, bytes: Buffer.concat(chunks) });
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const taken = new Map<string, number>();
  return files.flatMap(({ path: file, bytes }) => {
    const [className, name] = file.split('/').slice(-2) as [string, string];
    const before = taken.get(className) ?? 0;
    taken.set(className, before + 1);
    return before < MAX_FROM_ARCHIVE ? [{ className, name, bytes: () => bytes }] : [];
  });
}

function readMatrix(file: string, rows: number): Matrix {
  const bytes = readFileSync(file);
  const matrix = newSharedMatrix(rows, bytes.byteLength / 4 / Math.max(1, rows));
  matrix.data.set(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  return matrix;
}

/** Under its name when it is whole: a run that is ended leaves no half a file. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

/** Sets that are here; the others are named. */
export function setsHere(): string[] {
  const here = (name: string) => existsSync(join(DATA, name)) || existsSync(join(DATA, `${name}.tar`));
  const absent = LABELLED.filter((name) => !here(name));
  if (absent.length > 0) process.stderr.write(`sets that are not at ${DATA}: ${absent.join(', ')}\n`);
  return LABELLED.filter(here);
}
