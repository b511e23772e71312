/** Expected positions follow from the pictures themselves: each pixel's colour says where in the image it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Box } from '../core/boxes.ts';
import { regionSquares, squareAbout, squaresBytes } from './region-squares.ts';

const PAD = [255, 0, 255] as const;

/** Red grows with x and green with y, from 0 to 250 over the image; blue is 0. */
async function ramp(width: number, height: number): Promise<Uint8Array> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set([(250 * x) / width, (250 * y) / height, 0], 3 * (y * width + x));
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

const CASES: readonly (readonly [name: string, width: number, height: number, box: Box])[] = [
  ['inside', 400, 300, [100, 80, 220, 200]],
  ['reaching beyond the left and top', 400, 300, [-10, 5, 60, 140]],
  ['reaching beyond the right and bottom', 400, 300, [330, 200, 399, 300]],
  ['wider than the image', 120, 300, [10, 40, 110, 280]],
  ['tiny', 400, 300, [200, 150, 203, 152]],
  ['so large that an eighth is decoded', 1600, 1200, [100, 60, 1500, 1100]],
];

for (const [name, width, height, box] of CASES) {
  test(`a square ${name} shows the image where it says`, async () => {
    const size = 64;
    const options = { size, margin: 0.1, pad: PAD, kernel: 'linear' as const };
    const [square] = await regionSquares(await ramp(width, height), { width, height }, [box], options);
    assert.ok(square);
    assert.equal(square.pixels.length, size * size * 3);
    let checked = 0;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const [red, green, blue] = square.pixels.subarray(3 * (row * size + column)) as unknown as number[];
        const x = square.left + (column + 0.5) / square.scale - 0.5;
        const y = square.top + (row + 0.5) / square.scale - 0.5;
        const slack = 1.5 / square.scale;
        const inside = x > slack && y > slack && x < width - 1 - slack && y < height - 1 - slack;
        const outside = x < -1 - slack || y < -1 - slack || x > width + slack || y > height + slack;
        if (outside) assert.deepEqual([red, green, blue], [...PAD], `padding at ${column}, ${row}`);
        if (!inside) continue;
        // Within a pixel and a half of the square or two of the image, and a level of rounding.
        const [dx, dy] = [(red * width) / 250 - x, (green * height) / 250 - y];
        const tolerance = Math.max(1.5 / square.scale, 2) + width / 250;
        assert.ok(Math.abs(dx) <= tolerance, `x at ${column}, ${row} is off by ${dx}`);
        assert.ok(Math.abs(dy) <= tolerance, `y at ${column}, ${row} is off by ${dy}`);
        checked++;
      }
    }
    assert.ok(checked > 0);
  });
}

test('a square does not depend on the others that are cut with it', async () => {
  const [width, height] = [800, 600];
  const bytes = await ramp(width, height);
  const boxes: Box[] = [
    [0, 0, 790, 590],
    [300, 300, 320, 330],
    [100, 100, 300, 320],
  ];
  const options = { size: 64, margin: 0, pad: PAD, kernel: 'lanczos3' as const };
  const together = await regionSquares(bytes, { width, height }, boxes, options);
  for (const [i, box] of boxes.entries()) {
    assert.deepEqual((await regionSquares(bytes, { width, height }, [box], options))[0], together[i]);
  }
});

test('memory is what the smallest region needs decoded', () => {
  const image = { width: 6000, height: 4000 };
  const whole = 3 * 6000 * 4000;
  const cutting = { size: 192, margin: 0.1 };
  assert.equal(squaresBytes(image, [[0, 0, 100, 100]], cutting), whole);
  assert.equal(squaresBytes(image, [[0, 0, 3000, 3000]], cutting), whole / 64);
  assert.equal(squareAbout([0, 0, 100, 50], 0.1).side, 120);
});
