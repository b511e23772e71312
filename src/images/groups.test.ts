import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scene } from '../../test/fixtures/images.ts';
import fc from '../../test/properties.ts';
import { sha256Hex } from '../core/ids.ts';
import { seededRandom, shuffled } from '../core/random.ts';
import { findNearDuplicates, type HashColumns } from './duplicates.ts';
import { computeGroups, type GroupOptions, type GroupRow, GroupTable } from './groups.ts';
import { popcount } from './hash.ts';
import { inspect } from './inspect.ts';

type Row = Omit<GroupRow, 'groupId'>;

/** What was found, as values: the groups of two or more by image. All were alone before. */
async function grouped(rows: readonly Row[], options?: GroupOptions) {
  const table = new GroupTable();
  for (const row of rows) table.add({ ...row, groupId: row.id });
  const found = await computeGroups(table, options);
  const pairs = [...found.pairs()];
  const groups = new Map(found.changes());
  for (const group of [...groups.values()]) groups.set(group, group);
  assert.equal(found.pairCount, pairs.length);
  const once = new Set(rows.map(({ id }) => id)).size === rows.length;
  if (once) assert.deepEqual([found.groupedImages, found.groupCount], [groups.size, new Set(groups.values()).size]);
  return { pairs, groups, overfullBuckets: found.overfullBuckets };
}

function columnsOf(hashes: readonly (readonly [number, number, number?])[]): HashColumns {
  return {
    high: Uint32Array.from(hashes, ([high]) => high),
    low: Uint32Array.from(hashes, ([, low]) => low),
    logAspect: Float32Array.from(hashes, ([, , logAspect]) => logAspect ?? 0),
  };
}

/** Sets of items that pairs connect, as sorted text. */
function connected(count: number, pairs: Iterable<readonly [number, number]>): string {
  const group = Array.from({ length: count }, (_, i) => i);
  for (const [i, j] of pairs) {
    const [from, to] = [group[i], group[j]];
    for (let at = 0; at < count; at++) if (group[at] === from) group[at] = to;
  }
  const members = Map.groupBy(
    group.map((_, i) => i),
    (i) => group[i],
  );
  return [...members.values()]
    .map((items) => items.join(' '))
    .sort()
    .join('|');
}

describe('near-duplicates', () => {
  test('those of a comparison of each with each are found, at every distance from 0 to 7', () => {
    // Hashes a few bits from a few centres, so that there are pairs at all distances.
    const near = fc.tuple(fc.nat(2), fc.array(fc.nat(63), { maxLength: 6 }), fc.constantFrom(0, 0.04, 0.3));
    fc.assert(
      fc.property(fc.array(near, { maxLength: 40 }), fc.nat(7), (items, maxDistance) => {
        const hashes = items.map(([centre, flips, logAspect]) => {
          let [high, low] = [0x1234abcd + centre * 0x01010101, 0x9e3779b9 - centre * 0x10101010];
          for (const bit of flips) {
            if (bit < 32) high ^= 1 << bit;
            else low ^= 1 << (bit - 32);
          }
          return [high >>> 0, low >>> 0, logAspect] as const;
        });
        const columns = columnsOf(hashes);
        const distance = (i: number, j: number) =>
          popcount(columns.high[i] ^ columns.high[j]) + popcount(columns.low[i] ^ columns.low[j]);
        const alike = (i: number, j: number) =>
          distance(i, j) <= maxDistance && Math.abs(columns.logAspect[i] - columns.logAspect[j]) <= 0.05;
        const expected: [number, number][] = [];
        for (let j = 0; j < hashes.length; j++) for (let i = 0; i < j; i++) if (alike(i, j)) expected.push([i, j]);
        const found: [number, number][] = [];
        const overfull = findNearDuplicates(
          columns,
          (i, j, said) => {
            assert.ok(i < j && alike(i, j));
            assert.equal(said, distance(i, j));
            found.push([i, j]);
          },
          { maxDistance },
        );
        assert.equal(overfull, 0);
        assert.equal(new Set(found.map(String)).size, found.length, 'no pair twice');
        assert.equal(connected(hashes.length, found), connected(hashes.length, expected));
      }),
      { numRuns: 300 },
    );
  });

  test('200,000 random hashes with 500 planted pairs take seconds, not hours', () => {
    const random = seededRandom(1);
    const count = 200_000;
    const columns = columnsOf(Array.from({ length: count }, () => [random() * 2 ** 32, random() * 2 ** 32] as const));
    for (let i = 0; i < 500; i++) {
      const copy = count - 1 - i;
      // Seven bits, at worst two bits a band.
      columns.high[copy] = columns.high[i] ^ 0b11 ^ (0b11 << 16);
      columns.low[copy] = columns.low[i] ^ 0b11 ^ (1 << (16 + (i % 16)));
    }
    let planted = 0;
    const startedAt = performance.now();
    findNearDuplicates(columns, (i, j) => {
      if (i + j === count - 1) planted++;
    });
    assert.equal(planted, 500);
    assert.ok(performance.now() - startedAt < 30_000);
  });

  test('a hundred thousand frames that are all alike do not make it quadratic', () => {
    const random = seededRandom(2);
    const count = 100_000;
    const same = columnsOf(Array.from({ length: count }, () => [5, 7] as const));
    let pairs = 0;
    findNearDuplicates(same, () => pairs++);
    assert.equal(pairs, count - 1);
    const flip = () => 1 << Math.floor(random() * 32);
    const alike = columnsOf(
      Array.from({ length: count }, () => [(0x12345678 ^ flip() ^ flip()) >>> 0, (0x9abcdef0 ^ flip() ^ flip()) >>> 0]),
    );
    const startedAt = performance.now();
    const group = new Uint32Array(count);
    let joined = 0;
    const overfull = findNearDuplicates(alike, (i, j) => {
      if (group[i] === 0 || group[j] === 0) joined++;
      [group[i], group[j]] = [1, 1];
    });
    assert.ok(overfull > 0, 'and it says that it did not compare everything');
    assert.ok(performance.now() - startedAt < 30_000);
    assert.ok(joined > 0.8 * count, `${joined} of ${count} were joined all the same`);
  });

  test('pictures of one colour have no near-duplicates', () => {
    findNearDuplicates(
      columnsOf([
        [0, 0],
        [0, 0],
        [0, 1],
        [0, 0],
      ]),
      () => assert.fail(),
    );
  });
});

function row(name: string, hash: string, more: Partial<Row> = {}): Row {
  return {
    id: sha256Hex(name),
    perceptualHash: hash,
    width: 640,
    height: 480,
    capturedAtMs: null,
    camera: null,
    path: `/photos/${name}.jpg`,
    ...more,
  };
}

/** Names of each group's members, in order. */
function named(rows: readonly Row[], groups: ReadonlyMap<string, string>): string[] {
  const names = new Map(rows.map(({ id, path }) => [id, path.slice(path.lastIndexOf('/') + 1, -4)]));
  const members = Map.groupBy(groups.keys(), (id) => groups.get(id));
  return [...members.values()]
    .map((ids) =>
      ids
        .map((id) => names.get(id))
        .sort()
        .join(' '),
    )
    .sort();
}

const PLAIN = '00ff00ff00ff00ff';
const FIVE_OFF = '00ff00ff00ff00e0';
const TWELVE_OFF = '00ff00ff0f0f0fff';
const FAR = '5a5a5a5a5a5a5a5a';

describe('groups', () => {
  test('near-duplicates of one shape are joined, other shapes and hashes are not', async () => {
    const rows = [
      row('a', PLAIN),
      row('b', FIVE_OFF, { width: 320, height: 240 }),
      row('c', PLAIN, { width: 480, height: 640 }),
      row('d', FAR),
    ];
    const { pairs, groups } = await grouped(rows);
    assert.deepEqual(named(rows, groups), ['a b']);
    assert.equal(pairs.length, 1);
    assert.deepEqual([pairs[0]?.kind, pairs[0]?.distance], ['near-duplicate', 5]);
    const smallest = [sha256Hex('a'), sha256Hex('b')].sort()[0];
    assert.deepEqual(new Set(groups.values()), new Set([smallest]));
    assert.equal(pairs[0]?.a, smallest);
  });

  test('bursts: one camera, moments apart, loosely alike', async () => {
    const shot = (name: string, hash: string, capturedAtMs: number, camera: string | null = 'X1') =>
      row(name, hash, { capturedAtMs, camera });
    const rows = [
      shot('first', PLAIN, 10_000),
      shot('second', TWELVE_OFF, 11_000),
      shot('third', FIVE_OFF.replace('e0', '1f'), 11_500, 'X2'),
      shot('later', TWELVE_OFF.replace('0f0f0fff', '0f0f0f0f'), 13_100),
      shot('other', FAR, 11_050),
      shot('nobody', TWELVE_OFF.replace('0fff', '0ffe'), 11_000, null),
    ];
    const { pairs, groups } = await grouped(rows, { maxDistance: 0 });
    assert.deepEqual(named(rows, groups), ['first second']);
    assert.deepEqual(
      pairs.map(({ kind }) => kind),
      ['burst'],
    );
  });

  test('sequences: frames that follow each other in one folder, loosely alike and of one size', async () => {
    const frame = (path: string, hash: string, width = 640) => row(path, hash, { path: `/clip/${path}.jpg`, width });
    const rows = [
      frame('f_0009', PLAIN),
      frame('f_0010', TWELVE_OFF),
      frame('f_0012', PLAIN),
      frame('f_0013', FAR),
      frame('g_0011', PLAIN, 639),
      frame('sub/f_0011', PLAIN, 638),
    ];
    const { pairs, groups } = await grouped(rows, { maxDistance: 0 });
    assert.deepEqual(
      pairs.filter(({ kind }) => kind === 'sequence').map(({ distance }) => distance),
      [12],
    );
    assert.ok(named(rows, groups).some((names) => names.includes('f_0009') && names.includes('f_0010')));
  });

  test('frames that are one picture with other looks are copies, not a sequence', async () => {
    const print = async (seed: number, quality: number) =>
      (await inspect(await scene(320, 240, seed).linear(0.9, 8).jpeg({ quality }).toBuffer())).print;
    const frame = (name: string, hash: string, of: Uint8Array | undefined) =>
      row(name, hash, { path: `/clip/${name}.jpg`, print: of });
    const rows = [
      frame('f_1', PLAIN, await print(1, 95)),
      frame('f_2', TWELVE_OFF, await print(1, 25)),
      frame('f_3', PLAIN, await print(2, 95)),
    ];
    const { pairs, groups } = await grouped(rows, { maxDistance: 0 });
    assert.deepEqual(named(rows, groups), ['f_1 f_2 f_3']);
    const frameOf = (id: string) => rows.findIndex((one) => one.id === id) + 1;
    const kinds = pairs.map(({ a, b, kind }) => [kind, ...[a, b].map(frameOf).sort()].join(' ')).sort();
    assert.deepEqual(kinds, ['copy 1 2', 'sequence 2 3']);
  });

  test('the result does not depend on the order of the rows', async () => {
    const random = seededRandom(3);
    const hex = () => Math.floor(random() * 16).toString(16);
    const rows = Array.from({ length: 300 }, (_, i) => {
      const base = [PLAIN, FAR, '123456789abcdef0', 'fedcba9876543210'][i % 4];
      const at = Math.floor(random() * 16);
      return row(`n${i}`, base.slice(0, at) + hex() + base.slice(at + 1), {
        capturedAtMs: i * 700,
        camera: i % 3 === 0 ? 'A' : 'B',
      });
    });
    const expected = await grouped(rows);
    assert.ok(expected.pairs.length > 50);
    for (let seed = 0; seed < 5; seed++) {
      const { pairs, groups } = await grouped(shuffled(rows, seededRandom(seed)));
      assert.deepEqual(pairs, expected.pairs);
      assert.deepEqual([...groups].sort(), [...expected.groups].sort());
    }
  });

  test('changes are against the groups so far: joined, left alone again, and none where nothing moved', async () => {
    const [one, two] = [row('a', PLAIN), row('b', PLAIN)].sort((x, y) => (x.id < y.id ? -1 : 1)) as [Row, Row];
    const far = row('far', 'ff00ff00ff00ff00');
    const changesFrom = async (before: readonly [Row, string][]) => {
      const table = new GroupTable();
      for (const [facts, groupId] of before) table.add({ ...facts, groupId });
      return [...(await computeGroups(table)).changes()];
    };
    assert.deepEqual(
      (
        await changesFrom([
          [two, two.id],
          [far, one.id],
          [one, one.id],
        ])
      ).sort(),
      [
        [two.id, one.id],
        [far.id, far.id],
      ].sort(),
    );
    assert.deepEqual(
      await changesFrom([
        [one, one.id],
        [two, one.id],
        [far, far.id],
      ]),
      [],
    );
  });

  test('nothing in, nothing out; ids that are none are refused', async () => {
    assert.deepEqual(await grouped([]), { pairs: [], groups: new Map(), overfullBuckets: 0 });
    await assert.rejects(() => grouped([{ ...row('x', PLAIN), id: 'short' }]), RangeError);
  });
});

describe('groups on the benchmark sets', () => {
  const data = process.env.LABELSMITH_BENCH_DATA ?? '../shared/data';
  for (const [set, largest, least] of [
    ['caltech-30', 3, 8],
    ['electronics', 6, 15],
    ['flowers', 3, 3],
  ] as const) {
    const folder = join(data, set);
    const skip = existsSync(folder) ? false : `no benchmark data at ${data}`;
    test(`${set}: copies are found and no group has more than ${largest}`, { skip }, async () => {
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.(jpe?g|png)$/i.test(file),
      );
      const rows: Row[] = [];
      const classOf = new Map<string, string>();
      for (const file of files.sort()) {
        const found = await inspect(readFileSync(join(folder, file)));
        rows.push({ ...found, path: join(folder, file) });
        classOf.set(found.id, file.slice(0, file.indexOf('/')));
      }
      const { pairs, groups } = await grouped(rows);
      const sizes = [...Map.groupBy(groups.keys(), (id) => groups.get(id)).values()].map((ids) => ids.length);
      assert.ok(Math.max(...sizes) <= largest, `sizes ${sizes}`);
      assert.ok(sizes.length >= least, `${sizes.length} groups`);
      // The sets' own classes are an independent witness: copies have one class.
      const mixed = pairs.filter(({ a, b }) => classOf.get(a) !== classOf.get(b));
      assert.ok(mixed.length <= 0.15 * pairs.length, `${mixed.length} of ${pairs.length} pairs join two classes`);
    });
  }
});
