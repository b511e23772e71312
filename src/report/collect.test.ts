import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DatasetImage, LabelValue } from '../core/dataset.ts';
import type { ImageRecord } from '../core/image.ts';
import { seededRandom, shuffled } from '../core/random.ts';
import type { QuarantineRow, SimilarPair, StoredRegion } from '../store/store.ts';
import { collectReport, type ReportStore } from './collect.ts';
import { BestOfGroups, typicalAndVaried } from './exemplars.ts';

const OPTIONS = { title: 'photos', version: '0', nowMs: 0 };
const THUMBNAIL = { bytes: new Uint8Array(1000), mediaType: 'image/webp' as const };

function label(className: string, confidence: number | null, task = 'objects'): LabelValue {
  return { className, confidence, task, origin: confidence === null ? 'human' : 'detector' };
}

function image(id: string, part: Partial<DatasetImage> = {}): DatasetImage {
  return { id, file: `${id}.jpg`, width: 100, height: 50, groupId: id, split: null, labels: [], regions: [], ...part };
}

function withRegions(id: string, of: readonly LabelValue[], groupId = id): DatasetImage {
  const regions = of.map((value, i) => ({
    id: `${id}${i}`,
    box: [i, 0, i + 10, 10] as const,
    score: value.confidence,
    labels: [value],
    mask: null,
    polygons: null,
    keypoints: null,
    crowd: false,
  }));
  // As `detect` derives them: the image has each class of its regions.
  const labels = [...new Map(of.map((value) => [value.className, value])).values()];
  return image(id, { groupId, regions, labels });
}

/** A store that holds these images and nothing else; `part` says the rest. */
function storeOf(
  images: readonly DatasetImage[],
  part: {
    pairs?: SimilarPair[];
    paths?: Record<string, string[]>;
    quarantine?: QuarantineRow[];
    flagged?: string[];
    regions?: Record<string, StoredRegion[]>;
  } = {},
): ReportStore {
  async function* pages<T>(page: readonly T[]): AsyncGenerator<readonly T[]> {
    yield page;
  }
  const pathsOf = (id: string) => part.paths?.[id] ?? [`/data/${id}.jpg`];
  const record = (id: string) =>
    ({
      id,
      width: 100,
      height: 50,
      perceptualHash: id.padEnd(16, '0').slice(0, 16),
      flags: part.flagged?.includes(id) ? ['dark'] : [],
    }) as unknown as ImageRecord;
  return {
    summary: async () => ({
      images: images.length,
      paths: images.reduce((sum, { id }) => sum + pathsOf(id).length, 0),
      goneImages: 0,
      missingPaths: 0,
      groups: 0,
      duplicatePaths: Object.values(part.paths ?? {}).reduce((sum, paths) => sum + paths.length - 1, 0),
      similarPairs: part.pairs?.length ?? 0,
      quarantined: Object.fromEntries(part.quarantine ? [['truncated', part.quarantine.length]] : []),
      regions: images.reduce((sum, { regions }) => sum + regions.length, 0),
      labels: {},
      classes: 0,
      emptyClasses: 0,
      flags: { dark: part.flagged?.length },
      schemaVersion: 1,
    }),
    classes: async () =>
      ['animal', 'cat', 'day', 'dog'].map((name) => ({
        name,
        ...(name === 'cat' ? { synonyms: ['kitty'], parent: 'animal' } : { synonyms: [], parent: null }),
        description: null,
        synset: null,
        counts: [],
      })),
    sourceRoots: async () => ['/data'],
    runs: async () => [],
    async *dataset() {
      yield* images;
    },
    pathsOfImages: async (ids) =>
      new Map(
        ids.map((imageId) => [
          imageId,
          pathsOf(imageId).map((path) => ({
            imageId,
            path,
            pathBytes: null,
            sourceRoot: '/data',
            byteSize: 1,
            modifiedAtMs: 0,
            missing: false,
          })),
        ]),
      ),
    similarPairs: () => pages(part.pairs ?? []),
    images: () => pages((part.flagged ?? []).map(record)),
    image: async (id) => record(id),
    quarantine: () => pages(part.quarantine ?? []),
    corpus: async () => ({
      classes: new Map(
        ['animal', 'cat', 'dog', 'day'].map((name, i) => [
          i + 1,
          {
            id: i + 1,
            name,
            rootId: i + 1,
            parentId: i === 1 ? 1 : null,
            placed: true,
            description: null,
            synset: null,
          },
        ]),
      ),
      synonyms: new Map(),
    }),
    regionsOf: async (ids) => new Map(ids.map((id) => [id, part.regions?.[id] ?? []])),
  };
}

test('classes are counted by region and image, derived image labels not twice', async () => {
  const store = storeOf([
    withRegions('a', [label('cat', 0.9), label('cat', 0.5), label('dog', 0.4)]),
    withRegions('b', [label('cat', 0.7)]),
    image('c', { labels: [label('day', null, 'class')] }),
    image('d'),
  ]);
  const data = await collectReport(store, async () => THUMBNAIL, OPTIONS);
  assert.deepEqual(
    data.classes.map(({ name, task, images, regions, origins }) => ({ name, task, images, regions, origins })),
    [
      { name: 'cat', task: 'objects', images: 2, regions: 3, origins: { detector: 3 } },
      { name: 'dog', task: 'objects', images: 1, regions: 1, origins: { detector: 1 } },
      { name: 'day', task: 'class', images: 1, regions: 0, origins: { human: 1 } },
    ],
  );
  const [cat, , day] = data.classes;
  assert.ok(Math.abs((cat.meanConfidence ?? 0) - 0.7) < 1e-12);
  assert.equal(day.meanConfidence, null);
  assert.deepEqual(cat.synonyms, ['kitty']);
  assert.deepEqual(
    cat.typical.find(({ imageId }) => imageId === 'a'),
    {
      imageId: 'a',
      confidence: 0.9,
      regions: [
        { id: 'a0', box: [0, 0, 10, 10] },
        { id: 'a1', box: [1, 0, 11, 10] },
      ],
    },
  );
  assert.deepEqual([data.totals.labelledImages, data.totals.images], [3, 4]);
  assert.equal(data.pictures.get('a')?.file, 'a.jpg');
});

/** 36 groups; 36 to 39 are one group. Confidence rises with the number. */
function many(): DatasetImage[] {
  return Array.from({ length: 40 }, (_, i) => {
    const id = String(i).padStart(2, '0');
    return withRegions(id, [label('cat', (i + 1) / 50)], i >= 36 ? '36' : id);
  });
}

test('without embeddings: of the surest those that differ, and the least sure, one a group, in any order', async () => {
  const collect = async (list: readonly DatasetImage[]) =>
    (await collectReport(storeOf(list), async () => THUMBNAIL, { ...OPTIONS, maxExemplars: 8 })).classes[0];
  const { typical, doubtful } = await collect(many());
  const ids = typical.map(({ imageId }) => imageId);
  assert.equal(ids.length, 6);
  // The twelve surest: of the last group its best stands for it.
  const surest = ['39', ...Array.from({ length: 11 }, (_, i) => String(35 - i))];
  assert.deepEqual(
    ids.filter((id) => !surest.includes(id)),
    [],
  );
  // Hashes are the ids' own digits: 2x and 3x look unlike, so both are shown.
  assert.ok(ids.some((id) => id.startsWith('2')) && ids.some((id) => id.startsWith('3')), ids.join(' '));
  assert.deepEqual(
    doubtful.map(({ imageId }) => imageId),
    ['00', '01'],
  );
  for (let seed = 0; seed < 5; seed++) {
    const again = await collect(shuffled(many(), seededRandom(seed)));
    assert.deepEqual([again.typical, again.doubtful], [typical, doubtful]);
  }
});

test('with embeddings: the most typical first, then what it does not show, none that is unlikely to be of the class', async () => {
  // Two thirds look one way, a third another; one of the unsure ones looks like nothing else.
  const vectorOf = (i: number) => {
    if (i === 3) return Float32Array.of(0, 0, 1);
    const angle = (i % 3 === 0 ? 2 : 0) + 0.002 * i;
    return Float32Array.of(Math.cos(angle), Math.sin(angle), 0);
  };
  const vectors = async (items: string, ids: readonly string[]) =>
    new Map(items === 'images' ? ids.map((id) => [id, vectorOf(Number(id))] as const) : []);
  const data = await collectReport(storeOf(many()), async () => THUMBNAIL, { ...OPTIONS, maxExemplars: 4, vectors });
  const ids = data.classes[0].typical.map(({ imageId }) => Number(imageId));
  assert.equal(ids.length, 3);
  assert.ok(ids[0] % 3 !== 0 && ids[1] % 3 === 0, ids.join(' '));
  assert.ok(
    ids.every((i) => i >= 18),
    ids.join(' '),
  );
});

test('typicalAndVaried takes the medoid first and covers every kind before it repeats one', () => {
  // On a line: three heaps of 5, 3 and 1 points.
  const points = [0, 1, 2, 3, 4, 50, 51, 52, 99];
  const near = (i: number, j: number) => 1 - Math.abs(points[i] - points[j]) / 100;
  const chosen = typicalAndVaried(points.length, near, 4);
  assert.equal(points[chosen[0]], 4, 'the median of all points');
  assert.deepEqual(
    [chosen[1], chosen[2]].map((i) => points[i]).sort((a, b) => a - b),
    [51, 99],
  );
  assert.equal(new Set(chosen).size, 4);
  assert.deepEqual(
    typicalAndVaried(
      3,
      () => 0.5,
      9,
      (i) => i !== 1,
    ),
    [0, 2],
  );
});

test('the tree counts an image once for a class and once for what is above it', async () => {
  const store = storeOf([
    withRegions('a', [label('cat', 0.9), label('cat', 0.8), label('dog', 0.7)]),
    image('b', { labels: [label('cat', 1, 'class')] }),
    image('c'),
  ]);
  const { tree } = await collectReport(store, async () => THUMBNAIL, OPTIONS);
  assert.deepEqual(
    tree.map(({ name, depth, images, regions }) => [name, depth, images, regions]),
    [
      ['animal', 0, 2, 2],
      ['cat', 1, 2, 2],
      ['dog', 0, 1, 1],
    ],
  );
});

test('masks and keypoints of the regions that are shown', async () => {
  const region = (id: string, part: Partial<StoredRegion>) =>
    ({ id, imageId: 'a', keypoints: null, mask: null, polygons: null, ...part }) as StoredRegion;
  const keypoints = [[3, 4, 2]] as const;
  // Columns 1 and 2 of a 50 × 100 picture, rows 5 to 14.
  const mask = { size: [50, 100] as const, counts: [55, 10, 40, 10, 4885] };
  const regions = { a: [region('a0', { mask }), region('a1', { keypoints }), region('other', { keypoints })] };
  const store = storeOf([withRegions('a', [label('cat', 0.9), label('cat', 0.8)])], { regions });
  const { shapes } = await collectReport(store, async () => THUMBNAIL, OPTIONS);
  assert.deepEqual([...shapes.keys()].sort(), ['a0', 'a1']);
  assert.deepEqual(shapes.get('a0'), { contours: [[1, 5, 3, 5, 3, 15, 1, 15]], keypoints: null });
  assert.deepEqual(shapes.get('a1'), { contours: [], keypoints });
});

test('pictures stay within their bytes, and every class gets its first ones before any gets more', async () => {
  const images = ['cat', 'dog', 'cow'].flatMap((name, c) =>
    Array.from({ length: 10 }, (_, i) => withRegions(`${c}${i}`, [label(name, (20 - i) / 21)])),
  );
  const data = await collectReport(storeOf(images), async () => THUMBNAIL, { ...OPTIONS, maxPictureBytes: 10_500 });
  assert.equal(data.pictures.size, 10);
  assert.equal(data.picturesLeftOut, 20);
  for (const { typical } of data.classes) {
    assert.ok(typical.filter(({ imageId }) => data.pictures.has(imageId)).length >= 3);
  }
  const none = await collectReport(storeOf(images), async () => null, OPTIONS);
  assert.equal(none.pictures.size, 0);
});

describe('the state of the data', () => {
  test('groups with their kinds, copies, flags, quarantine', async () => {
    const row: QuarantineRow = {
      path: '/data/x.jpg',
      sourceRoot: '/data',
      reason: 'truncated',
      message: 'It ends early.',
      byteSize: 1,
      modifiedAtMs: 0,
      stage: 'add',
    };
    const store = storeOf(
      [
        image('a'),
        image('b', { groupId: 'a' }),
        image('c', { groupId: 'a' }),
        image('d'),
        image('e', { groupId: 'd' }),
      ],
      {
        pairs: [
          { a: 'a', b: 'b', kind: 'near-duplicate', distance: 2 },
          { a: 'b', b: 'c', kind: 'burst', distance: 20 },
        ],
        paths: { d: ['/data/d.jpg', '/data/copy/d.jpg', '/else/d.jpg'] },
        flagged: ['a'],
        quarantine: Array.from({ length: 300 }, () => row),
      },
    );
    const data = await collectReport(store, async () => THUMBNAIL, OPTIONS);
    assert.deepEqual(data.groups, [
      { id: 'a', count: 3, kinds: ['burst', 'near-duplicate'], members: ['a', 'b', 'c'] },
      { id: 'd', count: 2, kinds: [], members: ['d', 'e'] },
    ]);
    assert.deepEqual([data.totals.groups, data.totals.groupedImages], [2, 5]);
    assert.deepEqual(data.copies, [{ imageId: 'd', count: 3, paths: ['data/d.jpg', 'data/copy/d.jpg', 'd.jpg'] }]);
    const asked = await collectReport(store, async () => THUMBNAIL, { ...OPTIONS, paths: 'absolute' });
    assert.deepEqual(asked.copies[0].paths, ['/data/d.jpg', '/data/copy/d.jpg', '/else/d.jpg']);
    assert.deepEqual(data.quality, [{ flag: 'dark', count: 1, examples: ['a'] }]);
    assert.deepEqual([data.quarantine.total, data.quarantine.rows.length], [300, 200]);
  });
});

test('BestOfGroups takes a group back in when it does better later', () => {
  const best = new BestOfGroups<string>(2);
  for (const [group, rank, key] of [
    ['a', 1, 'a1'],
    ['b', 2, 'b1'],
    ['c', 3, 'c1'],
    ['a', 9, 'a2'],
    ['c', 0, 'c2'],
  ] as const) {
    best.offer(group, rank, key, key);
  }
  assert.deepEqual(best.list(), ['a2', 'c1']);
});
