import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import { goldenSection } from './golden-section.ts';

const OPTIONS = { low: -3, high: 5, steps: 60, onTie: 'low' } as const;

test('finds the minimum of a parabola, and of what is not smooth', () => {
  fc.assert(
    fc.property(fc.double({ min: -3, max: 5, noNaN: true }), (at) => {
      assert.ok(Math.abs(goldenSection((x) => (x - at) ** 2, OPTIONS) - at) < 1e-6);
      assert.ok(Math.abs(goldenSection((x) => Math.abs(x - at), OPTIONS) - at) < 1e-6);
    }),
  );
});

test('asks for two values and one a step; where all are alike it goes to the end it is told', () => {
  let asked = 0;
  const flat = () => asked++ * 0;
  assert.ok(goldenSection(flat, OPTIONS) < -2.999);
  assert.equal(asked, 2 + OPTIONS.steps);
  assert.ok(goldenSection(flat, { ...OPTIONS, onTie: 'high' }) > 4.999);
});
