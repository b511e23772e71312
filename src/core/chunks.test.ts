import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import { chunks, chunksOfPages } from './chunks.ts';

async function all<T>(lists: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const list of lists) found.push(list);
  return found;
}

async function* pagesOf<T>(pages: readonly (readonly T[])[]): AsyncGenerator<readonly T[]> {
  yield* pages;
}

test('nothing is lost, the order stays, and all lists but the last are full', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 7 }), (items, size) => {
      const lists = [...chunks(items, size)];
      assert.deepEqual(lists.flat(), items);
      assert.ok(lists.slice(0, -1).every((list) => list.length === size));
      assert.ok(lists.every((list) => list.length > 0 && list.length <= size));
    }),
  );
});

test('how items come in pages makes no difference, and no more than the limit are taken', async () => {
  const page = fc.array(fc.nat(), { maxLength: 9 });
  const limit = fc.option(fc.nat({ max: 40 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.array(page), fc.integer({ min: 1, max: 7 }), limit, async (pages, size, most) => {
      const lists = await all(chunksOfPages(pagesOf(pages), size, most));
      assert.deepEqual(lists, [...chunks(pages.flat().slice(0, most), size)]);
    }),
  );
});

test('no page is read beyond the limit', async () => {
  let read = 0;
  async function* pages(): AsyncGenerator<number[]> {
    for (;;) {
      read++;
      yield [1, 2];
    }
  }
  assert.deepEqual(await all(chunksOfPages(pages(), 3, 4)), [[1, 2, 1], [2]]);
  assert.equal(read, 2);
});
