import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { streamOf } from '../../test/contracts/format.ts';
import fc from '../../test/properties.ts';
import type { LabelValue } from '../core/dataset.ts';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { parseSplit, planSplits } from './splits.ts';

interface Row {
  readonly groupId: string;
  readonly labels: readonly LabelValue[];
  readonly regions: readonly [];
}

const row = (group: number | string, ...classes: string[]): Row => ({
  groupId: sha256Hex(`group ${group}`),
  labels: classes.map((className) => ({ className, confidence: 1, origin: 'human', task: 'class' })),
  regions: [],
});
const parts = parseSplit('train=.8,val=.1,test=.1');

async function split(rows: readonly Row[], seed = 0, by = parts): Promise<string[]> {
  const plan = await planSplits(streamOf(rows), by, seed);
  return rows.map((image) => plan.splitOf({ groupId: image.groupId, split: null }));
}

const count = (splits: readonly string[], name: string) => splits.filter((found) => found === name).length;

describe('splits', () => {
  it('reads names and fractions', () => {
    assert.deepEqual(parseSplit(' train=0.8, val =.2'), [
      { name: 'train', fraction: 0.8 },
      { name: 'val', fraction: 0.2 },
    ]);
    for (const [text, what] of [
      ['train=.8,val=.1', 'add up to 0.9'],
      ['train', 'is not NAME=FRACTION'],
      ['train=1.5,val=-.5', 'not above 0'],
      ['train=nan', 'not above 0'],
      ['train=0,val=1', 'not above 0'],
      ['a=.5,A=.5', 'comes twice'],
      ['../x=1', 'letters, digits'],
      ['', 'is not NAME=FRACTION'],
    ] as const) {
      assert.throws(
        () => parseSplit(text),
        (error) => error instanceof LabelsmithError && error.code === 'USAGE' && error.message.includes(what),
        text,
      );
    }
    assert.equal(parseSplit('a=.1,b=.2,c=.7').length, 3);
  });

  it('has the fractions to within one image, in all and by class, when groups are single images', async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => row(i, ['common', 'common', 'middle', 'rare'][i % 4]));
    const splits = await split(rows);
    assert.deepEqual([count(splits, 'train'), count(splits, 'val'), count(splits, 'test')], [800, 100, 100]);
    for (const [name, residues] of [
      ['middle', [2]],
      ['rare', [3]],
      ['common', [0, 1]],
    ] as const) {
      const own = splits.filter((_, i) => (residues as readonly number[]).includes(i % 4));
      assert.ok(Math.abs(count(own, 'train') - 0.8 * own.length) <= 1, name);
      assert.ok(Math.abs(count(own, 'val') - 0.1 * own.length) <= 1, name);
    }
  });

  it('keeps the fractions where every class is of one image', async () => {
    const splits = await split(Array.from({ length: 500 }, (_, i) => row(i, `class ${i}`)));
    assert.deepEqual([count(splits, 'train'), count(splits, 'val'), count(splits, 'test')], [400, 50, 50]);
  });

  it('puts a group on one side, depends on data and seed alone, and on no order', async () => {
    const image = fc.record({ group: fc.nat(8), classes: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')) });
    await fc.assert(
      fc.asyncProperty(fc.array(image, { maxLength: 40 }), fc.integer(), async (images, seed) => {
        const rows = images.map(({ group, classes }) => row(group, ...classes));
        const splits = await split(rows, seed);
        const sides = new Map<string, string>();
        for (const [i, { groupId }] of rows.entries()) {
          assert.equal(sides.get(groupId) ?? splits[i], splits[i]);
          sides.set(groupId, splits[i]);
        }
        assert.deepEqual((await split(rows.toReversed(), seed)).reverse(), splits);
      }),
    );
  });

  it('gives other seeds other splits', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => row(i, 'a'));
    assert.notDeepEqual(await split(rows, 1), await split(rows, 2));
  });

  it('makes up for large groups', async () => {
    // One video with 400 frames among 600 single images.
    const rows = Array.from({ length: 1000 }, (_, i) => row(i < 400 ? 'video' : i, 'a'));
    const splits = await split(rows);
    assert.ok(Math.abs(count(splits, 'train') - 800) <= 200);
    assert.equal(splits.length, 1000);
  });

  it('moves few images when the data grow by a tenth', async () => {
    const rows = Array.from({ length: 2200 }, (_, i) => row(i, ['a', 'b', 'c'][i % 3]));
    const before = await split(rows.slice(0, 2000));
    const after = await split(rows);
    const moved = before.filter((name, i) => name !== after[i]).length;
    assert.ok(moved < 2000 * 0.06, `${moved} of 2000 moved`);
  });

  it('refuses a group that it has not seen', async () => {
    const plan = await planSplits(streamOf([row(1)]), parts, 0);
    assert.throws(() => plan.splitOf({ groupId: sha256Hex('other'), split: null }), /without group/);
  });
});
