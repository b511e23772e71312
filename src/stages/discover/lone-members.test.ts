/** A class of which most known items lie in one cluster, and one among others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { known, TWO_CLUSTERS } from '../../../test/fixtures/two-clusters.ts';
import { cutAround } from './cluster-cut.ts';
import { drawingMembers } from './lone-members.ts';

const drawing = (classes: string) =>
  Array.from(drawingMembers(TWO_CLUSTERS, 2, known(classes)), (group) => (group < 0 ? '.' : group)).join('');

test('who draws neighbours: all but a few of a class that lie apart, among others that nobody spoke of', () => {
  assert.equal(drawing('000000......'), '000000......');
  assert.equal(drawing('00000.0.....'), '00000.......', '1/6 is less than a twelfth of 25/6');
  assert.equal(drawing('000...0.....'), '000...0.....', '1/6 is more than a twelfth of 9/6');
  assert.equal(
    drawing('00000.011111'),
    '00000.011111',
    'the others are of a class of people, so it draws none of them',
  );
  assert.equal(drawing('0.....0.....'), '0.....0.....', 'one is no more at home than the other');
  assert.equal(drawing('............'), '............');
});

test('one that lies apart is of its class, and the cluster that it lies in is none of its own', () => {
  const classOf = known('00000.0.....');
  const held = { names: ['cat'], whole: [false], taken: [false] };
  const cut = (drawing: Int32Array) => cutAround(TWO_CLUSTERS, { held, classOf, drawing }, 'auto', 2);
  const alone = cut(drawingMembers(TWO_CLUSTERS, 2, classOf));
  assert.deepEqual(
    alone.classes.map((one) => one?.name),
    ['cat', undefined],
  );
  assert.deepEqual([...alone.cut.clusters], [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  assert.deepEqual([...cut(classOf).cut.clusters], Array<number>(12).fill(0), 'who draws all has one cluster');
});
