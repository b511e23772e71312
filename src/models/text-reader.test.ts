/**
 * Reading words: against RapidOCR with the same weights, rectangles against OpenCV, decoding against PyTorch's ctc_loss
 * (`test/oracles/written_words.py`).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { whyNotHere } from '../../test/model-files.ts';
import { decodeWithin } from '../images/decode.ts';
import { allFiles } from './prepare.ts';
import { findEntry } from './registry.ts';
import { componentsAbove, type Point } from './text-reader/components.ts';
import { bestPath } from './text-reader/ctc.ts';
import { linesInMap } from './text-reader/lines-in-map.ts';
import { cornersOf, minAreaRectangle } from './text-reader/rectangle.ts';
import { upright } from './text-reader/upright.ts';
import { openTextReader, READER } from './text-reader.ts';

interface Expected {
  readonly pictures: readonly {
    readonly name: string;
    readonly png: string;
    readonly lines: readonly {
      readonly text: string;
      readonly confidence: number;
      readonly corners: readonly Point[];
    }[];
  }[];
  readonly rectangles: readonly {
    readonly points: readonly Point[];
    readonly middle: Point;
    readonly sides: readonly number[];
    readonly area: number;
  }[];
  readonly signs: readonly string[];
  readonly paths: readonly { readonly probabilities: readonly number[]; readonly text: string }[];
}

const EXPECTED: Expected = JSON.parse(
  readFileSync(new URL('../../test/fixtures/written-words.json', import.meta.url), 'utf8'),
);

const skip = await whyNotHere(READER);

test('what RapidOCR reads with the same weights is read, at the same places, whatever way it is turned', {
  skip,
}, async () => {
  const reader = await openTextReader(READER, { threads: 1, offline: true });
  try {
    for (const { name, png, lines } of EXPECTED.pictures) {
      const read = await reader.read(await decodeWithin(Buffer.from(png, 'base64'), reader.longest));
      const texts = (list: readonly { readonly text: string }[]) => list.map(({ text }) => text).sort();
      assert.deepEqual(texts(read), texts(lines), name);
      for (const { text, corners, confidence } of lines) {
        const own = read.find((line) => line.text === text);
        assert.ok(own && Math.abs(own.confidence - confidence) < 0.05, `${text} ${own?.confidence} ${confidence}`);
        for (const [i, [x, y]] of corners.entries()) {
          const [ownX, ownY]: Point = own.corners[i] ?? [0, 0];
          // Theirs are of a map that OpenCV made the picture for, ours of another bilinear one.
          assert.ok(Math.hypot(ownX - x, ownY - y) < 8, `${text}: ${own.corners} for ${corners}`);
        }
      }
    }
  } finally {
    await reader.close();
  }
});

test('a picture without words, and a tiny one, have none', { skip }, async () => {
  const reader = await openTextReader(READER, { threads: 1, offline: true });
  try {
    for (const [width, height] of [
      [200, 100],
      [1, 1],
    ] as const) {
      assert.deepEqual(await reader.read({ pixels: new Uint8Array(width * height * 3).fill(90), width, height }), []);
    }
  } finally {
    await reader.close();
  }
});

test('a reader that cannot be fetched is an error that says so', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-reader-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  await assert.rejects(openTextReader(READER, { cacheDir, offline: true, folders: [] }), { code: 'NETWORK' });
  await assert.rejects(openTextReader('centernet', { cacheDir }), /centernet is a detector, not a reader of words/);
});

test('the list of files has those of what reads a line', async () => {
  assert.deepEqual(
    allFiles(await findEntry(READER)).map(({ reference }) => reference.split('#')[1]),
    ['assets/ch_PP-OCRv4_det_infer.onnx', 'assets/ch_PP-OCRv4_rec_infer.onnx', 'assets/ppocr_keys_v1.txt'],
  );
});

test('rectangles of least area are OpenCV’s', () => {
  for (const { points, middle, sides, area } of EXPECTED.rectangles) {
    const { width, height, middle: own } = minAreaRectangle(points);
    assert.ok(Math.abs(width * height - area) < 0.01 * area + 0.05, `${width * height} for ${area}`);
    assert.deepEqual([width, height].sort((a, b) => a - b).map(Math.round), sides.map(Math.round));
    assert.ok(Math.hypot(own[0] - middle[0], own[1] - middle[1]) < 0.1, `${own} for ${middle}`);
  }
  assert.deepEqual(minAreaRectangle([[3, 4]]), { middle: [3, 4], along: [1, 0], width: 0, height: 0 });
});

test('components hang together by corners too, and have the first and last pixel of each row', () => {
  const rows = ['##..#', '..#..', '.....', '#....'];
  const map = Float32Array.from(rows.join(''), (sign) => (sign === '#' ? 0.5 : 0.2));
  assert.deepEqual(componentsAbove(map, { rows: 4, columns: 5, threshold: 0.3 }), [
    [
      [0, 0],
      [1, 0],
      [2, 1],
    ],
    [[4, 0]],
    [[0, 3]],
  ]);
});

test('a line is its kernel grown by half again of area over perimeter; what is faint or thin is none', () => {
  const [rows, columns] = [40, 60];
  const drawn = (value: number, height: number) => {
    const map = new Float32Array(rows * columns);
    for (let y = 10; y < 10 + height; y++) map.fill(value, y * columns + 10, y * columns + 41);
    return linesInMap(map, { rows, columns });
  };
  const [line] = drawn(0.9, 11);
  // Middles of pixels: 30 × 10, so 1.5 · 300 / 80 = 5.625 on each side.
  assert.deepEqual(line?.corners, [
    [4.375, 4.375],
    [45.625, 4.375],
    [45.625, 25.625],
    [4.375, 25.625],
  ]);
  assert.ok(Math.abs((line?.score ?? 0) - 0.9) < 1e-6);
  assert.deepEqual(drawn(0.55, 11), []);
  assert.deepEqual(drawn(0.9, 3), []);
});

test('corners go clockwise from the top left', () => {
  const turned = cornersOf({ middle: [10, 10], along: [0, 1], width: 8, height: 4 });
  assert.deepEqual(turned, [
    [8, 6],
    [12, 6],
    [12, 14],
    [8, 14],
  ]);
});

test('the best path is PyTorch’s most probable text', () => {
  for (const { probabilities, text } of EXPECTED.paths) {
    assert.equal(bestPath(Float32Array.from(probabilities), EXPECTED.signs).text, text);
  }
  // By hand: a, a, blank, a, b are a, a, b.
  const steps = [1, 1, 0, 1, 2].flatMap((sign) => [0, 1, 2].map((i) => (i === sign ? 0.8 : 0.1)));
  const { text, confidence } = bestPath(Float32Array.from(steps), ['', 'a', 'b']);
  assert.equal(text, 'aab');
  assert.ok(Math.abs(confidence - 0.8) < 1e-6);
  assert.deepEqual(bestPath(Float32Array.of(0.9, 0.05, 0.05), ['', 'a', 'b']), { text: '', confidence: 0 });
});

test('a part of a picture is turned, and made smaller by means', () => {
  // Red grows to the right, green downwards.
  const [width, height] = [8, 4];
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => [Math.floor(i / 3) % width, Math.floor(i / 3 / width), 0][i % 3] * 10,
  );
  const picture = { pixels, width, height };
  const half = upright(
    picture,
    [
      [0, 0],
      [8, 0],
      [8, 4],
      [0, 4],
    ],
    { width: 4, height: 2 },
  );
  assert.deepEqual([...half.slice(0, 6)].map(Math.round), [5, 5, 0, 25, 5, 0]);
  const turned = upright(
    picture,
    [
      [8, 0],
      [8, 4],
      [0, 4],
      [0, 0],
    ],
    { width: 4, height: 8 },
  );
  assert.deepEqual([...turned.slice(0, 6)].map(Math.round), [70, 0, 0, 70, 10, 0]);
});
