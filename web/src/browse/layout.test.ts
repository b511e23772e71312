import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentTop, layoutOf, MAX_SCROLL_PX, placesInBand, scrollTopFor } from './layout.ts';

const HEIGHT = 700;

test('a short grid is scrolled as it is', () => {
  const layout = layoutOf(1001, 1010, 100);
  assert.deepEqual([layout.columns, layout.rows, layout.totalPx, layout.scrollPx], [10, 101, 10_100, 10_100]);
  for (const top of [0, 1, 350.5, 10_100 - HEIGHT]) assert.equal(contentTop(layout, top, HEIGHT), top);
  assert.equal(contentTop(layoutOf(3, 1010, 100), 50, HEIGHT), 0);
});

test('the first and the last of ten million are reached, at twice the pixels too', () => {
  // Chromium ends boxes at 2²⁴ device pixels.
  assert.ok(2 * MAX_SCROLL_PX < 2 ** 24);
  for (const count of [1_000_000, 10_000_000]) {
    const layout = layoutOf(count, 1200, 168);
    assert.equal(layout.scrollPx, MAX_SCROLL_PX);
    assert.equal(contentTop(layout, 0, HEIGHT), 0);
    assert.equal(contentTop(layout, layout.scrollPx - HEIGHT, HEIGHT), layout.totalPx - HEIGHT);
    for (const place of [0, 7, count >> 1, count - 1]) {
      const row = Math.floor(place / layout.columns) * 168;
      const top = contentTop(layout, scrollTopFor(layout, row, HEIGHT), HEIGHT);
      assert.ok(row >= top - 1e-3 && row + 168 <= top + HEIGHT + 1e-3, `${place} of ${count}`);
    }
  }
});

test('there is one column where there is no room for one', () => {
  assert.equal(layoutOf(5, 20, 168).columns, 1);
});

test('a band has what it touches, and nothing beyond the last item', () => {
  const layout = layoutOf(23, 1000, 100);
  const of = (left: number, top: number, right: number, bottom: number) =>
    placesInBand(layout, { left, top, right, bottom }, { count: 23, cellPx: 100 });
  assert.deepEqual(of(150, 50, 250, 60), [1, 2]);
  assert.deepEqual(of(150, 50, 250, 160), [1, 2, 11, 12]);
  assert.deepEqual(of(110, 10, 120, 20), [1]);
  assert.deepEqual(of(-50, 150, 5000, 999), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
  assert.deepEqual(of(500, 250, 600, 260), []);
  assert.deepEqual(of(0, 400, 100, 500), []);
  assert.deepEqual(
    placesInBand(layoutOf(0, 1000, 100), { left: 0, top: 0, right: 9, bottom: 9 }, { count: 0, cellPx: 100 }),
    [],
  );
});
