import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from '../../test/properties.ts';
import { BoxIndex, nearest } from './box-index.ts';
import { type Box, iou } from './boxes.ts';

const side = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.double({ min: 1e-3, max: 5000, noNaN: true }));
const place = fc.oneof(fc.integer({ min: -20, max: 60 }), fc.double({ min: -1e4, max: 1e4, noNaN: true }));
const box = fc.tuple(place, place, side, side).map(([x, y, width, height]): Box => [x, y, x + width, y + height]);

it('finds each box that overlaps by half, and no box that was taken out', () => {
  fc.assert(
    fc.property(fc.array(box, { maxLength: 40 }), fc.array(fc.nat(39)), (boxes, gone) => {
      const index = new BoxIndex<number>();
      for (const [i, one] of boxes.entries()) index.add(one, i);
      const isGone = new Set(gone.filter((i) => i < boxes.length));
      for (const i of isGone) index.delete(boxes[i], i);
      for (const one of boxes) {
        const visited: number[] = [];
        index.visitNear(one, (i) => visited.push(i));
        assert.equal(new Set(visited).size, visited.length, 'each once');
        const found = visited.filter((i) => iou(one, boxes[i]) >= 0.5).sort((a, b) => a - b);
        // By the formula alone, all against all.
        const wanted = boxes.flatMap((other, i) => (!isGone.has(i) && iou(one, other) >= 0.5 ? [i] : []));
        assert.deepEqual(found, wanted);
      }
    }),
  );
});

it('looks at few of many boxes that overlap, and gives the best of very many at one place', () => {
  const index = new BoxIndex<Box>();
  const boxes = Array.from({ length: 4000 }, (_, i): Box => {
    const [x, y, width] = [(i * 37) % 4000, (i * 91) % 3000, 4 + ((i * 53) % 2000)];
    return [x, y, x + width, y + ((i * 71) % 1500) + 4];
  });
  for (const one of boxes) index.add(one, one);
  let visits = 0;
  for (const one of boxes) index.visitNear(one, () => visits++);
  assert.ok(visits < (boxes.length * boxes.length) / 4, `${visits} visits`);

  const pile = new BoxIndex<number>();
  const at = (i: number): Box => [0, 0, 1000 + i, 1000];
  for (let i = 0; i < 200; i++) pile.add(at(i), i);
  const best = nearest(pile, at(100), (i) => iou(at(100), at(i)));
  assert.ok(best.length < 200);
  assert.equal(best[0].value, 100);
});
