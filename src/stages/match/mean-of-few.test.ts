import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrix } from '../../math/matrix.ts';
import { countPictures, meanOfFew } from './mean-of-few.ts';

const references = (rows: readonly (readonly number[])[], classes: readonly number[]) => ({
  vectors: matrix(Float32Array.from(rows.flat()), rows.length, 2),
  classes: Int32Array.from(classes),
  classNames: [...new Set(classes)].map(String),
});

test('of few pictures, the classes of references stand in for those that are missing to twenty', () => {
  // Three references of one class weigh no more than one of the other: (8, 0) and (0, 4) have the mean (4, 2).
  const two = references(
    [
      [8, 1],
      [8, -1],
      [8, 0],
      [0, 4],
    ],
    [0, 0, 0, 1],
  );
  assert.deepEqual([...meanOfFew(Float32Array.from([8, 2]), 5, two)], [5, 2]);
  assert.deepEqual([...meanOfFew(Float32Array.from([7, 2]), 20, two)], [7, 2]);
});

test('with references of one class nothing stands in', () => {
  assert.deepEqual([...meanOfFew(Float32Array.from([6, 2]), 10, references([[6, 2]], [0]))], [3, 1]);
});

test('copies count once', async () => {
  async function* images(groups: readonly string[]) {
    yield groups.map((groupId) => ({ groupId }));
  }
  assert.equal(await countPictures({ images: () => images(['a', 'a', 'b']) }), 2);
  assert.equal(await countPictures({ images: () => images(Array.from({ length: 50 }, (_, i) => `${i}`)) }), 20);
});
