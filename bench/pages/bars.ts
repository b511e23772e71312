/**
 * Pages of rows of small bars, as letters look from far away: text, forms, tables and screenshots. They need no font, so every
 * machine draws the same.
 */
import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../../src/core/random.ts';
import type { Random } from './sheet.ts';

export const BAR_KINDS: Readonly<Record<string, (random: Random, draw: Canvas) => void>> = {
  'bars: text': (random, draw) => {
    for (let y = 60; y < 780; y += 17) {
      if (random() < 0.12) continue;
      draw.words(50, y, random() < 0.15 ? 150 + random() * 300 : 550, random);
    }
  },
  // One form, filled in by different people: only the answers differ.
  'bars: forms': (random, draw) => {
    const form = seededRandom(0, 'form');
    draw.words(200, 40, 420, form);
    for (let y = 100; y < 740; y += 52) {
      draw.words(50, y, 90 + form() * 120, form);
      draw.box(230, y - 8, 550, y + 22);
      draw.words(238, y, 260 + random() * 270, random);
    }
  },
  'bars: tables': (random, draw) => {
    draw.words(50, 40, 150 + random() * 350, random);
    for (let y = 90; y < 760; y += 26) {
      draw.box(50, y - 8, 550, y + 18);
      for (const x of [56, 240, 360, 470]) if (random() < 0.9) draw.words(x, y, x + 30 + random() * 60, random);
    }
  },
  // One program's window: bars and menus stay, the content differs.
  'bars: screenshots': (random, draw) => {
    draw.fill(0, 0, 600, 34, 70);
    draw.fill(0, 34, 130, 800, 225);
    const menu = seededRandom(0, 'menu');
    for (let y = 60; y < 400; y += 24) draw.words(12, y, 60 + menu() * 55, menu);
    for (let y = 70; y < 760; y += 18) if (random() < 0.7) draw.words(160, y, 220 + random() * 340, random);
    const [x, y] = [160 + random() * 200, 80 + random() * 500];
    draw.fill(x, y, x + 90 + random() * 120, y + 60 + random() * 120, 90 + random() * 120);
  },
};

const [WIDTH, HEIGHT] = [600, 800];

class Canvas {
  readonly pixels = new Uint8Array(WIDTH * HEIGHT).fill(250);

  fill(left: number, top: number, right: number, bottom: number, grey: number): void {
    for (let y = Math.floor(top); y < Math.min(HEIGHT, bottom); y++) {
      this.pixels.fill(grey, y * WIDTH + Math.floor(left), y * WIDTH + Math.min(WIDTH, Math.floor(right)));
    }
  }

  box(left: number, top: number, right: number, bottom: number): void {
    this.fill(left, top, right, top + 1, 120);
    this.fill(left, bottom, right, bottom + 1, 120);
    this.fill(left, top, left + 1, bottom, 120);
    this.fill(right, top, right + 1, bottom + 1, 120);
  }

  /** Letters of 2 to 7 pixels, in words of 2 to 10. */
  words(left: number, top: number, right: number, random: Random): void {
    for (let x = left; x < right; x += 6) {
      for (let letters = 2 + Math.floor(random() * 9); letters > 0 && x < right; letters--) {
        const width = 2 + Math.floor(random() * 5);
        this.fill(x, top + (random() < 0.6 ? 3 : 0), x + width, top + 9, 40);
        x += width + 2;
      }
    }
  }
}

export function bars(kind: string, random: Random): Sharp {
  const canvas = new Canvas();
  BAR_KINDS[kind](random, canvas);
  return sharp(canvas.pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } }).toColourspace('srgb');
}
