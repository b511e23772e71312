import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../../../test/properties.ts';
import { decodeBrush, encodeBrush } from './brush.ts';

const bytesOfBits = (bits: string) =>
  (bits.replaceAll(' ', '').match(/.{1,8}/g) as string[]).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));

/** 32 bits of the count, 8 bits a value, run lengths of 3, 4, 8 and 16 bits: what label-studio-converter writes. */
const head = (values: number) => `${values.toString(2).padStart(32, '0')} 00111 0010 0011 0111 1111`;

describe("Label Studio's brush", () => {
  it('bits stand where label-studio-converter has them', () => {
    // A clear pixel and a set one: two runs of four values, their length less one in three bits.
    const bits = `${head(8)} 1 00 011 00000000 1 00 011 11111111`;
    assert.deepEqual(encodeBrush(Uint8Array.of(0, 1)), bytesOfBits(bits));
    assert.deepEqual(decodeBrush(bytesOfBits(bits), 2), Uint8Array.of(0, 1));
  });

  it('reads values that are not repeated, and takes alpha for the mask', () => {
    const bits = `${head(8)} 0 01 0111 ${[9, 9, 9, 0, 0, 0, 0, 77].map((v) => v.toString(2).padStart(8, '0')).join('')}`;
    assert.deepEqual(decodeBrush(bytesOfBits(bits), 2), Uint8Array.of(0, 1));
  });

  it('gives back any mask, of long runs too', () => {
    const runs = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(runs, (lengths) => {
        const alpha = Uint8Array.from(lengths.flatMap((length, i) => new Array<number>(length).fill(i % 2)));
        assert.deepEqual(decodeBrush(encodeBrush(alpha), alpha.length), alpha);
      }),
      { numRuns: 40, seed: 2 },
    );
  });

  it('refuses what is cut or of another size', () => {
    const whole = encodeBrush(Uint8Array.of(0, 1, 1, 0, 1));
    assert.equal(decodeBrush(whole, 4), null);
    for (let length = 0; length < whole.length - 1; length++)
      assert.equal(decodeBrush(whole.slice(0, length), 5), null);
  });
});
