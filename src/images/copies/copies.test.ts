/** Copies of pictures made by code, and pages that say different things. What is found on photographs: docs/add.md. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { scenePixels } from '../../../test/fixtures/images.ts';
import { PRINT_CELLS, PRINT_SIDE } from '../../core/image.ts';
import { seededRandom } from '../../core/random.ts';
import { inspect } from '../inspect.ts';
import { COPY_LIMITS, PrintComparer } from './compare.ts';
import { findCopies } from './find-copies.ts';
import { isPage, PRINT_BYTES, printOf, quartersOf } from './print.ts';
import { NO_PRINT, newPiece, PRINTS_A_PIECE } from './prints.ts';
import { CopySearch, copiesFrom } from './search.ts';
import { hashWholes } from './wholes.ts';
import { WINDOWS, WindowHasher } from './windows.ts';

const [WIDTH, HEIGHT] = [320, 240];

interface Picture {
  readonly print: Uint8Array;
  readonly logAspect: number;
}

async function pictureOf(image: Sharp): Promise<Picture> {
  const { print, width, height } = await inspect(await image.jpeg({ quality: 85 }).toBuffer());
  assert.ok(print);
  return { print, logAspect: Math.log(width / height) };
}

const scene = (seed: number) =>
  sharp(scenePixels(WIDTH, HEIGHT, seed), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

function searchAmong(pictures: readonly Partial<Picture>[]): CopySearch {
  const columns = {
    count: pictures.length,
    print: (i: number) => pictures[i].print,
    logAspect: Float32Array.from(pictures, ({ logAspect = 0 }) => logAspect),
  };
  return new CopySearch(columns, hashWholes(columns));
}

/** Pairs by index, in order, each once. */
function pairsAmong(pictures: readonly Partial<Picture>[]): [number, number][] {
  const found = copiesFrom(searchAmong(pictures), 0, pictures.length);
  const pairs = new Set<string>();
  for (let at = 0; at < found.length; at += 2) {
    pairs.add(`${Math.min(found[at], found[at + 1])} ${Math.max(found[at], found[at + 1])}`);
  }
  return [...pairs]
    .map((pair) => pair.split(' ').map(Number) as [number, number])
    .sort(([a, b], [c, d]) => a - c || b - d);
}

const crop = (image: Sharp, left: number, top: number, right: number, bottom: number) =>
  image.extract({
    left: Math.round(left * WIDTH),
    top: Math.round(top * HEIGHT),
    width: Math.round((1 - left - right) * WIDTH),
    height: Math.round((1 - top - bottom) * HEIGHT),
  });

describe('copies', () => {
  const changes: Readonly<Record<string, (image: Sharp) => Sharp>> = {
    'compressed hard': (image) => image.jpeg({ quality: 30 }),
    'half the size': (image) => image.resize(WIDTH / 2),
    'mirrored left and right': (image) => image.flop(),
    'mirrored top and bottom': (image) => image.flip(),
    'turned by 90': (image) => image.rotate(90),
    'turned by 180': (image) => image.rotate(180),
    'turned by 270': (image) => image.rotate(270),
    'a tenth cut off all around': (image) => crop(image, 0.05, 0.05, 0.05, 0.05),
    'a corner': (image) => crop(image, 0, 0.12, 0.12, 0),
    'a quarter cut off at one side': (image) => crop(image, 0.24, 0, 0, 0),
    brighter: (image) => image.linear(1.1, 10),
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`${name}: each found with its own picture, and with no other`, async () => {
      const seeds = [1, 2, 3, 4, 5, 6];
      const originals = await Promise.all(seeds.map((seed) => pictureOf(scene(seed))));
      const copies = await Promise.all(seeds.map((seed) => pictureOf(change(scene(seed)))));
      const expected = seeds.map((_, i): [number, number] => [i, i + seeds.length]);
      assert.deepEqual(pairsAmong([...originals, ...copies]), expected);
    });
  }

  test('cropped and turned at once', async () => {
    const original = await pictureOf(scene(7));
    const copy = await pictureOf(sharp(await crop(scene(7), 0.06, 0.02, 0.08, 0.06).png().toBuffer()).rotate(90));
    assert.deepEqual(pairsAmong([original, copy]), [[0, 1]]);
  });

  test('different pictures are no copies, and pictures of one colour are nothing’s', async () => {
    const scenes = await Promise.all(Array.from({ length: 60 }, (_, seed) => pictureOf(scene(100 + seed))));
    const flat = (background: string) => sharp({ create: { width: 90, height: 90, channels: 3, background } });
    const plain = await Promise.all(['#fff', '#fefefe', '#123456'].map((colour) => pictureOf(flat(colour))));
    assert.deepEqual(pairsAmong([...scenes, ...plain]), []);
  });

  test('pictures with no print are left out', () => {
    assert.deepEqual(pairsAmong([{}, {}]), []);
  });

  test('threads find what one finds, and what is joined already is not compared', async () => {
    const random = seededRandom(3);
    const prints = Array.from({ length: 2100 }, () => Uint8Array.from({ length: PRINT_BYTES }, () => random() * 256));
    // Every hundredth is the one before it, mirrored, and the last of them has no print.
    for (let i = 100; i < prints.length; i += 100) {
      prints[i] = prints[i - 1].map(
        (_, at) => prints[i - 1][at - (at % PRINT_SIDE) + PRINT_SIDE - 1 - (at % PRINT_SIDE)],
      );
    }
    const pieces = [newPiece(), newPiece(), newPiece()];
    for (const [i, print] of prints.entries()) {
      pieces[Math.floor(i / PRINTS_A_PIECE)].set(print, (i % PRINTS_A_PIECE) * PRINT_BYTES);
    }
    const places = Uint32Array.from(prints, (_, i) => (i === 2000 ? NO_PRINT : i));
    const shared = { count: prints.length, pieces, places, logAspect: new Float32Array(prints.length) };
    const roots = Uint32Array.from(prints, (_, i) => (i === 100 ? 99 : i));
    const one = await findCopies(shared, roots, 1);
    const planted = Array.from({ length: 18 }, (_, n) => 100 * (n + 2)).flatMap((i) => [i - 1, i, i, i - 1]);
    assert.deepEqual([...one], planted);
    assert.deepEqual(await findCopies(shared, roots, 3), one);
  });
});

describe('hashes of windows', () => {
  /** A print laid in one of eight ways, by its definition. */
  function laid(print: Uint8Array, turn: number): Uint8Array {
    return print.map((_, at) => {
      if (at >= PRINT_CELLS) return 0;
      let [x, y] = [at % PRINT_SIDE, Math.floor(at / PRINT_SIDE)];
      if (turn & 4) [x, y] = [y, x];
      if (turn & 1) x = PRINT_SIDE - 1 - x;
      if (turn & 2) y = PRINT_SIDE - 1 - y;
      return print[y * PRINT_SIDE + x];
    });
  }

  test('all eight turns of a picture have the same hashes', () => {
    const random = seededRandom(1);
    const hasher = new WindowHasher();
    const hashes = (print: Uint8Array) => {
      const found = new Set<string>();
      hasher.each(print, 'whole', ({ low, high }) => found.add(`${low} ${high}`));
      return [...found].sort();
    };
    for (let n = 0; n < 20; n++) {
      const print = Uint8Array.from({ length: PRINT_BYTES }, (_, at) => (at < PRINT_CELLS ? random() * 256 : 0));
      const expected = hashes(print);
      for (let turn = 1; turn < 8; turn++) assert.deepEqual(hashes(laid(print, turn)), expected);
    }
  });

  test('the first window is the whole picture, and each lies within it', () => {
    assert.deepEqual(WINDOWS[0], { left: 0, right: 1, top: 0, bottom: 1 });
    assert.equal(new Set(WINDOWS.map((window) => JSON.stringify(window))).size, WINDOWS.length);
    for (const { left, right, top, bottom } of WINDOWS) {
      assert.ok(left >= 0 && right <= 1 && top >= 0 && bottom <= 1 && right - left > 0.7 && bottom - top > 0.7);
    }
  });
});

describe('pages', () => {
  const comparer = new PrintComparer();
  const isSamePage = (a: Uint8Array, b: Uint8Array) => comparer.detailAsTheyLie(a, b) >= COPY_LIMITS.minDetail;

  /** Of one tone, with lines of words as bars of another; the words of each page are other ones. */
  function page(seed: number, { ground, ink } = { ground: 255, ink: 60 }): Sharp {
    const [width, height] = [600, 840];
    const random = seededRandom(seed, 'page');
    const pixels = new Uint8Array(width * height).fill(ground);
    for (let line = 60; line < 340; line += 16) {
      const end = 250 + random() * 300;
      for (let x = 50; x < end; ) {
        const word = 15 + Math.floor(random() * 50);
        for (let y = line; y < line + 8; y++)
          pixels.fill(ink, y * width + x, y * width + Math.min(x + word, width - 50));
        x += word + 7;
      }
    }
    return sharp(pixels, { raw: { width, height, channels: 1 } }).toColourspace('srgb');
  }

  const looks = {
    white: { ground: 255, ink: 60 },
    'scanned, on grey paper': { ground: 208, ink: 40 },
    'in dark mode': { ground: 18, ink: 210 },
  };
  for (const [name, look] of Object.entries(looks)) {
    test(`pages with other words are other pages; copies of one are the same: ${name}`, async () => {
      const pages = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => pictureOf(page(seed, look))));
      for (const { print } of pages) assert.ok(isPage(print));
      for (const [i, a] of pages.entries()) {
        for (const b of pages.slice(0, i)) assert.equal(isSamePage(a.print, b.print), false);
      }
      assert.deepEqual(pairsAmong(pages), []);
      const copies = [page(1, look).jpeg({ quality: 40 }), page(1, look).resize(300), page(1, look).linear(0.9, 12)];
      for (const copy of copies) assert.equal(isSamePage(pages[0].print, (await pictureOf(copy)).print), true);
    });
  }
});

describe('details', () => {
  const agreement = (a: Picture, b: Picture) => new PrintComparer().detailAsTheyLie(a.print, b.print);

  /** A plain ground with grain of a few levels, as rolled steel has; each seed is another sheet. */
  function sheet(seed: number): Sharp {
    const side = 200;
    const random = seededRandom(seed, 'sheet');
    const coarse = Uint8Array.from({ length: 40 * 40 }, () => 120 + 30 * random());
    const grain = sharp(coarse, { raw: { width: 40, height: 40, channels: 1 } });
    return grain.resize(side, side, { kernel: 'cubic' }).toColourspace('srgb');
  }
  const fileOf = (image: Sharp) => image.png().toBuffer();

  test('sheets of one grain differ, copies of one do not', async () => {
    const sheets = await Promise.all([1, 2, 3, 4].map((seed) => pictureOf(sheet(seed))));
    for (const [i, a] of sheets.entries()) {
      for (const b of sheets.slice(0, i)) assert.ok(agreement(a, b) < 0.7, String(agreement(a, b)));
    }
    const file = await fileOf(sheet(1));
    const copies = [sharp(file).jpeg({ quality: 25 }), sharp(file).resize(100), sharp(file).linear(0.8, 0)];
    for (const copy of copies) {
      const found = agreement(sheets[0], await pictureOf(sharp(await copy.toBuffer())));
      assert.ok(found >= COPY_LIMITS.minDetail, String(found));
    }
  });

  test('one word on a large page is enough to be another page', async () => {
    const lines = (last: string) => {
      const text = Array.from({ length: 20 }, (_, i) => `<rect x="60" y="${60 + 30 * i}" width="480" height="10"/>`);
      return sharp(
        Buffer.from(
          `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="800"><rect width="600" height="800" fill="#fff"/>` +
            `${text.join('')}${last}</svg>`,
        ),
      );
    };
    const [one, other] = await Promise.all(
      ['<rect x="60" y="700" width="90" height="14"/>', '<rect x="300" y="700" width="90" height="14"/>'].map((last) =>
        pictureOf(lines(last)),
      ),
    );
    assert.ok(agreement(one, one) > 0.999);
    assert.ok(agreement(one, other) < 0.5, String(agreement(one, other)));
  });
});

test('quarters of cells are what the print was made of, as near as four bits tell', () => {
  const pixels = scenePixels(64, 64, 5).filter((_, at) => at % 3 === 1);
  const quarters = new Uint8Array(4 * PRINT_CELLS);
  quartersOf(printOf({ pixels, width: 64, height: 64 }), quarters);
  const [near, flat] = [new Float64Array(pixels.length), new Float64Array(pixels.length)];
  for (let at = 0; at < pixels.length; at++) {
    const [x, y] = [(at % 64) & ~1, Math.floor(at / 64) & ~1];
    const cell = (pixels[y * 64 + x] + pixels[y * 64 + x + 1] + pixels[y * 64 + 64 + x] + pixels[y * 64 + 65 + x]) / 4;
    near[at] = (pixels[at] - quarters[at]) ** 2;
    flat[at] = (pixels[at] - cell) ** 2;
  }
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(mean(near) < mean(flat) / 2, `${mean(near)} is not less than half of ${mean(flat)}`);
});

test('prints of earlier versions, which have no slopes, are compared too', async () => {
  const columns = await Promise.all([scene(1), scene(1).flop(), scene(2)].map(pictureOf));
  const old = columns.map(({ print, logAspect }) => ({ print: print.slice(), logAspect }));
  for (const { print } of old) print.fill(0, PRINT_CELLS);
  assert.deepEqual(pairsAmong(old), [[0, 1]]);
});

test('a print is the mean of each cell, whatever the size', () => {
  const ramp = (width: number, height: number) =>
    printOf({ pixels: Uint8Array.from({ length: width * height }, (_, i) => 2 * (i % width)), width, height });
  // Two columns a cell: 0 and 2, 4 and 6, …
  assert.deepEqual([...ramp(64, 48).subarray(0, 4)], [1, 5, 9, 13]);
  assert.deepEqual([...ramp(32, 7).subarray(0, 4)], [0, 2, 4, 6]);
  // One and a half columns a cell: (0 + 2/2) / 1.5, (2/2 + 4) / 1.5, …
  assert.deepEqual([...ramp(48, 32).subarray(0, 4)], [1, 3, 7, 9]);
  assert.equal(ramp(1, 1)[0], 0);
});
