/**
 * What every format must do, run for each entry of the table: what is exported comes back but for what the format
 * declares lost; the same input gives the same bytes; a broken or foreign output never half-happens.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Box } from '../../src/core/boxes.ts';
import { MAX_NAME_LENGTH, readClassName } from '../../src/core/class-name.ts';
import type { DatasetImage, ImportedImage, LabelValue, RegionRecord } from '../../src/core/dataset.ts';
import { regionIdOf, sha256Hex } from '../../src/core/ids.ts';
import { NONE_OF_THESE, ORIGINS, type Task } from '../../src/core/labels.ts';
import type { RegionDetails } from '../../src/core/region-details.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { MARKER } from '../../src/files/own.ts';
import type { ExportContext, Format, ImportedClass, ReaderName, ReadOptions } from '../../src/formats/format.ts';
import { Reckoning } from '../../src/formats/reckoning.ts';
import { parseSplit, planSplits } from '../../src/formats/splits.ts';
import { readFormat } from '../../src/formats/table.ts';
import { exportDataset } from '../../src/stages/export/write.ts';
import { FileMatcher } from '../../src/stages/import/match.ts';
import fc from '../properties.ts';
import { assertRegions, imported, inPixels, promised } from './format/promised.ts';

const OBJECTS: Task = { name: 'objects', rule: 'multi', items: 'regions' };

/** A folder of its own, gone afterwards. */
export async function inTemporaryFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-format-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The bytes that stand for an image in these tests; its id is their hash, as in a workspace. */
export const bytesOf = (seed: string): Uint8Array => Buffer.from(`image ${seed}`);

export function classNamesOf(images: readonly DatasetImage[]): string[] {
  const names = new Set<string>();
  for (const image of images)
    for (const labels of [image.labels, ...image.regions.map((region) => region.labels)])
      for (const label of labels) names.add(label.className);
  return [...names].sort();
}

export function mostKeypoints(images: readonly DatasetImage[]): number {
  return Math.max(0, ...images.flatMap(({ regions }) => regions.map(({ keypoints }) => keypoints?.length ?? 0)));
}

/** A context for these images, whose bytes are those of `seeds` (by id). */
export function contextFor(
  images: readonly DatasetImage[],
  seeds: ReadonlyMap<string, string>,
  changes: Partial<ExportContext> = {},
): ExportContext {
  return {
    task: OBJECTS,
    classNames: classNamesOf(images),
    keypointCount: mostKeypoints(images),
    readImage: async (id) => bytesOf(seeds.get(id) as string),
    sourcePathOf: async () => null,
    crop: async (_bytes, boxes) => boxes.map((box) => Buffer.from(`crop ${box.join(' ')}`)),
    splits: null,
    unlabelled: true,
    margin: 0,
    version: '0.0.0-test',
    replace: false,
    protectedPaths: [],
    ...changes,
  };
}

/** Files given as text or bytes by their path. */
export async function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

export async function readAll(
  format: ReaderName,
  path: string,
  options: Partial<ReadOptions> = {},
): Promise<ImportedImage[]> {
  const images: ImportedImage[] = [];
  const reckoning = options.reckoning ?? new Reckoning();
  for await (const image of readFormat(format, path, { ...options, reckoning })) images.push(image);
  return images;
}

/** What is told of a file, `REASON: WHERE: WHAT` each. */
export function toldOf(reckoning: Reckoning): string[] {
  return reckoning
    .report()
    .problems.flatMap(({ reason, text, examples }) =>
      examples.map(({ where, what }) => `${reason}: ${where}: ${what ?? text}`),
    );
}

export interface BrokenCase {
  readonly what: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** The file or folder that is read. */
  readonly path: string;
  /** The whole of the one error's message, or of the one problem's place and text. */
  readonly message: RegExp;
}

/**
 * Each case gives one `BAD_FILE` error, or, where only a part of the file is broken, one problem in the reckoning, with
 * the file and the line or key in it.
 */
export function brokenFiles(format: ReaderName, cases: readonly BrokenCase[]): void {
  describe(`broken ${format}`, () => {
    for (const { what, files, path, message } of cases) {
      it(what, () =>
        inTemporaryFolder(async (folder) => {
          await writeFiles(folder, files);
          const reckoning = new Reckoning();
          const told = await readAll(format, join(folder, path), { reckoning }).then(
            () => toldOf(reckoning).map((problem) => problem.replace(/^[a-z-]+: /, '')),
            (error: unknown) => {
              assert.ok(error instanceof LabelsmithError, String(error));
              assert.equal(error.code, 'BAD_FILE');
              return [error.message];
            },
          );
          assert.equal(told.length, 1, told.join('\n'));
          assert.match(told[0], message);
        }),
      );
    }
  });
}

/** A small set with known bytes: one image with everything, one with nothing. */
export function twoImages(): GeneratedSet {
  const seeds = new Map([
    [sha256Hex(bytesOf('one')), 'one'],
    [sha256Hex(bytesOf('two')), 'two'],
  ]);
  const [first, second] = [...seeds.keys()].sort() as [string, string];
  const say = (className: string, confidence: number | null): LabelValue => ({
    className,
    confidence,
    origin: 'detector',
    task: 'objects',
  });
  const region = { mask: null, polygons: null, keypoints: null, crowd: false };
  return {
    seeds,
    images: [
      {
        id: first,
        file: 'day 1/a.jpg',
        width: 200,
        height: 100,
        groupId: first,
        split: null,
        labels: [say('dog', 0.9), say('zebra fish', 0.5)],
        regions: [
          { ...region, id: '0'.repeat(32), box: [10, 20, 110, 70.5], score: 0.9, labels: [say('dog', 0.9)] },
          {
            ...region,
            id: '1'.repeat(32),
            box: [0, 0, 50, 50],
            score: 0.1234567,
            labels: [say('zebra fish', null)],
            polygons: [[0, 0, 50, 0, 50, 50]],
          },
        ],
      },
      { id: second, file: 'b.png', width: 30, height: 40, groupId: second, split: null, labels: [], regions: [] },
    ],
  };
}

// ── Generated label sets ───────────────────────────────────────────────────────────────────────────────────────────

const NAMES = [
  'person',
  'traffic light',
  'dog',
  'a/b',
  '..',
  'CON',
  'aux.txt',
  'train',
  'Train',
  'no',
  '0',
  '007',
  '=1+1',
  "'=x",
  '-',
  'a,b',
  'say "hi"',
  '<&>',
  'Ünïcode',
  'Ünïcode',
  '日本',
  '😀',
  '%2F',
  '_unlabelled',
  'classes.json',
  '[x]: {y}',
  '# no comment',
  'x'.repeat(MAX_NAME_LENGTH),
];

const className = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      // Records hold names as `core/class-name.ts` reads them.
      .map((text) => readClassName(text.replace(/[\p{Cs}\p{Cn}]/gu, '')))
      .filter((reading) => reading.kind === 'name')
      .map(({ name }) => name),
  },
);

const pathPart = fc.oneof(
  fc.constantFrom('a', 'A', 'images', 'labels', 'CON', '...', 'x y', 'ü', 'train', '-x', '=y', 'a\nb', '%', '\\x80'),
  fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..'),
);
const extension = fc.constantFrom('.jpg', '.png', '.JPG', '.jpeg');
const path = fc
  .tuple(fc.array(pathPart, { maxLength: 3 }), pathPart, extension)
  .map(([folders, stem, end]) => [...folders, stem + end].join('/'));

const confidence = fc.oneof(
  fc.constant(null),
  fc.constantFrom(0, 1, 1e-7, 0.3),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const label: fc.Arbitrary<LabelValue> = fc.record({
  className,
  confidence,
  origin: fc.constantFrom(...ORIGINS),
  task: fc.constant('objects'),
});
const labels = (maxLength: number, minLength = 0) =>
  fc.uniqueArray(label, { minLength, maxLength, selector: (value) => value.className });

/** Boxes inside, at the edges, over them, and thinner than a pixel. */
function boxIn(width: number, height: number): fc.Arbitrary<Box> {
  const edge = (size: number) =>
    fc.oneof(
      fc.constantFrom(0, 0.4, 1, size / 3, size / 2, size - 1, size - 0.001, size),
      fc.double({ min: -0.2 * size, max: 1.2 * size, noNaN: true }),
    );
  return fc
    .tuple(edge(width), edge(height), edge(width), edge(height))
    .map(([a, b, c, d]): Box => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)])
    .filter((box) => box[2] - box[0] >= 0.01 && box[3] - box[1] >= 0.01);
}

const rejections = fc.uniqueArray(
  fc.record(
    { className: fc.constantFrom('dog', 'cat', NONE_OF_THESE), task: fc.constantFrom('objects', 'class') },
    { noNullPrototype: true },
  ),
  { maxLength: 2, selector: ({ className, task }) => `${className} ${task}` },
);

const flag = fc.constantFrom(true as const, undefined);
/** As records hold them: what is not so is left out. Turned boxes have tests of their own. */
const details = fc
  .record({
    difficult: flag,
    truncated: flag,
    occluded: flag,
    pose: fc.constantFrom('Left', undefined),
    attributes: fc.constantFrom({ colour: 'dark red', damaged: true }, undefined),
    trackId: fc.constantFrom('7', undefined),
  })
  .map((all): RegionDetails => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));

const regionIn = (width: number, height: number) =>
  fc.record({
    box: boxIn(width, height),
    score: confidence,
    labels: labels(2, 1),
    crowd: fc.boolean(),
    shape: fc.constantFrom('none', 'polygons', 'mask', 'both'),
    points: fc.constantFrom(0, 1, 17),
    polygon: fc.array(
      fc.tuple(fc.double({ min: 0, max: width, noNaN: true }), fc.double({ min: 0, max: height, noNaN: true })),
      { minLength: 3, maxLength: 6 },
    ),
    touched: fc.boolean(),
    rejected: rejections,
    details,
  });

const generatedImage = fc
  .tuple(fc.constantFrom(1, 2, 3, 97, 640, 20000), fc.constantFrom(1, 2, 5, 480, 7001))
  .chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      file: path,
      labels: labels(3),
      regions: fc.array(regionIn(width, height), { maxLength: 4 }),
      rejected: rejections,
      deleted: fc.array(regionIn(width, height), { maxLength: 1 }),
      group: fc.integer({ min: 0, max: 3 }),
    }),
  );

interface GeneratedRegion
  extends Pick<RegionRecord, 'box' | 'score' | 'labels' | 'crowd' | 'touched' | 'rejected' | 'details'> {
  readonly shape: string;
  readonly points: number;
  readonly polygon: readonly (readonly [number, number])[];
}

function recordOf(
  imageId: string,
  { width, height }: { readonly width: number; readonly height: number },
  { shape, points, polygon, ...said }: GeneratedRegion,
  maker: string,
): RegionRecord {
  const pixels = width * height;
  // Masks of a hundred million pixels take seconds each and show nothing that smaller ones do not.
  const withMask = (shape === 'mask' || shape === 'both') && pixels < 4e6;
  return {
    ...said,
    id: regionIdOf(imageId, maker, said.labels[0]?.className ?? '', said.box),
    polygons: shape === 'polygons' || shape === 'both' ? [polygon.flat()] : null,
    mask: withMask ? { size: [height, width], counts: [pixels - 1, 1] } : null,
    keypoints:
      points === 0 ? null : Array.from({ length: points }, (_, k) => [k + 0.5, 1.25, (k % 3) as 0 | 1 | 2] as const),
  };
}

export interface GeneratedSet {
  readonly images: readonly DatasetImage[];
  readonly seeds: ReadonlyMap<string, string>;
}

/** Images with distinct files, in order of id. */
export const generatedSet: fc.Arbitrary<GeneratedSet> = fc
  .uniqueArray(generatedImage, { maxLength: 8, selector: (image) => image.file.normalize('NFC') })
  .map((rows) => {
    const seeds = new Map<string, string>();
    const images = rows.map((row, i): DatasetImage => {
      const seed = `${i} ${row.file}`;
      const id = sha256Hex(bytesOf(seed));
      seeds.set(id, seed);
      return {
        id,
        file: row.file,
        width: row.width,
        height: row.height,
        groupId: sha256Hex(`group ${row.group}`),
        split: null,
        labels: row.labels,
        regions: row.regions.map((region, n) => recordOf(id, row, region, `test ${n}`)),
        rejected: row.rejected,
        deleted: row.deleted.map((region, n) => recordOf(id, row, region, `deleted ${n}`)),
      };
    });
    return { images: images.sort((a, b) => (a.id < b.id ? -1 : 1)), seeds };
  });

export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== MARKER).sort();
}

/** Path below `root` → SHA-256, of all but the markers that say who wrote a folder. */
export async function hashesBelow(root: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name === MARKER) continue;
    const file = join(entry.parentPath, entry.name);
    hashes[file.slice(root.length + 1)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return hashes;
}

async function roundTrip(format: Format, set: GeneratedSet, withSplits: boolean): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    const splits = withSplits ? await planSplits(streamOf(set.images), parseSplit('train=.5,val=.3,test=.2'), 7) : null;
    const images = set.images.map((image) => ({ ...image, split: splits?.splitOf(image) ?? null }));
    const context = contextFor(images, set.seeds, { splits });
    const summary = await exportDataset(format.name, out, streamOf(set.images), context);
    assert.equal(summary.failedImages, 0);

    if (format.name === 'folders' && images.length === 0) return;
    const matcher = new FileMatcher(
      images.map((image) => ({ imageId: image.id, path: `/source/${image.file}` })),
      ['/source'],
    );
    const read: ImportedImage[] = [];
    for await (const part of readFormat(format.name, out, { reckoning: new Reckoning() })) read.push(part);
    for (const part of read) matcher.expect(part.file);
    const byImage = new Map<string, ImportedImage[]>();
    for (const part of read) {
      const id = await idOf(part, matcher, format, out);
      // Names that had to be changed are found by their bytes, which only copies have.
      if (id === null) continue;
      byImage.set(id, [...(byImage.get(id) ?? []), part]);
    }
    const renamed = summary.renamed > 0 && format.imageFiles !== 'always';
    for (const image of images) {
      const want = promised(image, format, mostKeypoints(images));
      const bare = want.labels.length === 0 && want.regions.length === 0;
      const parts = byImage.get(image.id);
      if (parts === undefined) {
        if (!renamed) assert.ok(bare && !format.keeps.unlabelled, `${image.file} did not come back`);
        continue;
      }
      const got = imported(parts, image);
      assert.deepEqual({ ...got, regions: [], deleted: [] }, { ...want, regions: [], deleted: [] });
      assertRegions(got.regions, want.regions, image, format.keeps);
      assertRegions(got.deleted, want.deleted, image, format.keeps);
    }
  });
}

const SKELETON = { keypointNames: ['head', 'tail'], edges: [[0, 1]] } as const;
const ROTATED = { cx: 60, cy: 50, width: 40, height: 20, angleDegrees: 90 };
const IMAGE_ATTRIBUTES = { weather: 'rain' };

/** An image of which everything is said that label sets seldom say. */
function richlyDescribed(): GeneratedSet {
  const id = sha256Hex(bytesOf('rich'));
  const say = (annotator: string): LabelValue => ({
    className: 'dog',
    confidence: 1,
    origin: 'human',
    task: 'objects',
    annotator,
  });
  const region: RegionRecord = {
    id: regionIdOf(id, 'rich', 'dog', [50, 30, 70, 70]),
    box: [50, 30, 70, 70],
    score: null,
    labels: [say('ann@example.org')],
    mask: null,
    polygons: null,
    keypoints: [
      [55, 40, 2],
      [65, 60, 1],
    ],
    crowd: false,
    touched: true,
    details: { rotatedBox: ROTATED },
  };
  const image: DatasetImage = {
    id,
    file: 'rich.jpg',
    width: 200,
    height: 100,
    groupId: id,
    split: null,
    labels: [say('ann@example.org')],
    regions: [region],
    attributes: IMAGE_ATTRIBUTES,
  };
  return { images: [image], seeds: new Map([[id, 'rich']]) };
}

/** What `keeps` says of annotators, turned boxes, attributes of images and skeletons is so, in both directions. */
async function keepsWhatItSays({ name, keeps }: Format): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    const { images, seeds } = richlyDescribed();
    const context = contextFor(images, seeds, {
      splits: null,
      skeletonOf: (className) => (className === 'dog' ? SKELETON : null),
      parentOf: (className) => (className === 'dog' ? 'animal' : null),
    });
    await exportDataset(name, out, streamOf(images), context);
    const classes: ImportedClass[] = [];
    const read = await readAll(name, out, { onClass: (told) => classes.push(told) });
    const regions = read.flatMap((image) => image.regions);
    const labels = [...read, ...regions].flatMap((item) => item.labels);
    const annotators = [...new Set(labels.map(({ annotator }) => annotator ?? null))];
    assert.deepEqual(annotators, [keeps.annotators ? 'ann@example.org' : null], 'annotators');
    const attributes = read.flatMap(({ attributes: said }) => (said === undefined ? [] : [said]));
    assert.deepEqual(attributes, keeps.imageAttributes ? [IMAGE_ATTRIBUTES] : [], 'attributes of images');
    const [turned] = regions.flatMap((region) => inPixels(region, images[0]).details?.rotatedBox ?? []);
    if (keeps.details.includes('rotatedBox')) {
      for (const [field, value] of Object.entries(ROTATED)) {
        const got = Object.entries(turned ?? {}).find(([other]) => other === field)?.[1] ?? Number.NaN;
        assert.ok(Math.abs(got - value) < 0.01, `turned box: ${field} is ${got} and not ${value}`);
      }
    } else assert.equal(turned, undefined, 'turned boxes');
    const [told] = classes.filter(({ className }) => className === 'dog');
    if (keeps.skeletons) assert.deepEqual([told?.skeleton, told?.supercategory], [SKELETON, 'animal'], 'skeletons');
    else assert.deepEqual(told?.skeleton?.edges ?? [], [], 'lines of skeletons');
  });
}

async function idOf(part: ImportedImage, matcher: FileMatcher, format: Format, out: string): Promise<string | null> {
  if (format.defaultImages === 'copy' && format.name !== 'webdataset') {
    const bytes = await readFile(join(out, part.file)).catch(() => null);
    if (bytes !== null) return sha256Hex(bytes);
  }
  const match = matcher.match(part.file, part.sha256);
  return match.kind === 'matched' ? match.imageId : null;
}

/** @param runs generated label sets */
export function formatContract(format: Format, runs: number): void {
  describe(`format ${format.name}`, () => {
    it('gives back annotators, turned boxes, attributes of images and skeletons, or says that it loses them', () =>
      keepsWhatItSays(format));

    it(`gives back ${runs} generated label sets but for its losses`, async () => {
      await fc.assert(
        fc.asyncProperty(generatedSet, fc.boolean(), (set, withSplits) => roundTrip(format, set, withSplits)),
        { numRuns: runs, seed: 20260101 },
      );
    });

    it('writes the same bytes for the same labels', async () => {
      const [set] = fc.sample(
        generatedSet.filter(({ images }) => images.length > 4),
        { numRuns: 1, seed: 3 },
      ) as [GeneratedSet];
      await inTemporaryFolder(async (folder) => {
        const wrap = async (name: string) => {
          const context = contextFor(set.images, set.seeds);
          await exportDataset(format.name, join(folder, name, 'out'), streamOf(set.images), context);
          return hashesBelow(join(folder, name));
        };
        const first = await wrap('a');
        assert.ok(Object.keys(first).length > 0);
        assert.deepEqual(await wrap('b'), first);
      });
    });

    it('refuses a place that is taken, and replaces it as a whole when told to', async () => {
      const [set] = fc.sample(
        generatedSet.filter(({ images }) => images.length > 2),
        { numRuns: 1, seed: 5 },
      ) as [GeneratedSet];
      await inTemporaryFolder(async (folder) => {
        const out = join(folder, 'out');
        const write = (changes: Partial<ExportContext>, images = set.images) =>
          exportDataset(format.name, out, streamOf(images), contextFor(set.images, set.seeds, changes));
        await write({});
        const before = await hashesBelow(folder);
        await assert.rejects(write({}), (error) => error instanceof LabelsmithError && error.code === 'REFUSED');
        assert.deepEqual(await hashesBelow(folder), before);

        async function* broken() {
          yield* set.images.slice(0, 1);
          throw new Error('the store went away');
        }
        const failing = exportDataset(format.name, out, broken(), contextFor(set.images, set.seeds, { replace: true }));
        await assert.rejects(failing, /the store went away/);
        assert.deepEqual(await hashesBelow(folder), before, 'a failed export leaves the old one and nothing beside it');

        await write({ replace: true }, set.images.slice(0, 1));
        const after = await hashesBelow(folder);
        assert.notDeepEqual(after, before);
        await write({ replace: true });
        assert.deepEqual(await hashesBelow(folder), before);
      });
    });

    it('writes an export of nothing that reads as nothing', async () => {
      await inTemporaryFolder(async (folder) => {
        const out = join(folder, 'out');
        const summary = await exportDataset(format.name, out, streamOf([]), contextFor([], new Map()));
        assert.equal(summary.images, 0);
        if (format.name === 'folders') return;
        for await (const image of readFormat(format.name, out, { reckoning: new Reckoning() }))
          assert.fail(`read ${image.file}`);
      });
    });

    it('says NOT_FOUND for a path that is not there and BAD_FILE or USAGE for noise', async () => {
      await inTemporaryFolder(async (folder) => {
        const drain = async (path: string) => {
          for await (const image of readFormat(format.name, path, { reckoning: new Reckoning() })) void image;
        };
        const isError = (codes: readonly string[]) => (error: unknown) =>
          error instanceof LabelsmithError && codes.includes(error.code);
        await assert.rejects(drain(join(folder, 'nothing')), isError(['NOT_FOUND']));
        const noise = join(folder, 'noise');
        await writeFile(noise, Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0x80]));
        await assert.rejects(drain(noise), isError(['BAD_FILE', 'USAGE', 'NOT_FOUND']));
      });
    });
  });
}
