/**
 * What pages are drawn with: a sheet that becomes an SVG, and words from a seed. Text is set in the fonts of the system, so that
 * a page looks like itself on one machine and about the same on another.
 */

export type Random = () => number;

const WORDS = (
  'the of and to invoice delivery resistor please contact within thirty days receipt amount due thank you for your order ' +
  'customer number regarding meeting schedule report quarterly results increase decrease market product quality measure ' +
  'temperature pressure system control engineering department office street city country telephone account bank payment ' +
  'transfer reference total discount shipping handling item description quantity price unit tax date signature name address ' +
  'approved rejected pending review comment question answer request response error warning information detail summary page'
).split(' ');

export const [SERIF, SANS, MONO] = ['DejaVu Serif, serif', 'DejaVu Sans, sans-serif', 'DejaVu Sans Mono, monospace'];

export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)];
export const between = (random: Random, least: number, most: number): number => least + random() * (most - least);
/** A whole number from `least` to `most`. */
export const whole = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
export const word = (random: Random): string => pick(random, WORDS);
export const words = (random: Random, count: number): string =>
  Array.from({ length: count }, () => word(random)).join(' ');

interface TextStyle {
  /** Pixels (default 14). */
  readonly size?: number;
  readonly font?: string;
  readonly fill?: string;
}

/** An SVG while it grows. Lengths are in pixels, colours as SVG names them. */
export class Sheet {
  readonly width: number;
  readonly height: number;
  #body = '';

  constructor(width: number, height: number, ground: string) {
    this.width = width;
    this.height = height;
    this.rect(0, 0, width, height, ground);
  }

  text(x: number, y: number, text: string | number, style: TextStyle = {}): this {
    const { size = 14, font = SANS, fill = '#111' } = style;
    return this.#add(`<text x="${x}" y="${y}" font-size="${size}" font-family="${font}" fill="${fill}">${text}</text>`);
  }

  rect(x: number, y: number, width: number, height: number, fill: string, stroke = 'none'): this {
    return this.#add(`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" stroke="${stroke}"/>`);
  }

  line(x1: number, y1: number, x2: number, y2: number, stroke = '#333', width = 1): this {
    return this.#add(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" stroke-width="${width}"/>`);
  }

  path(points: readonly (readonly [number, number])[], stroke: string, width = 2): this {
    const list = points.map(([x, y]) => `${x},${y}`).join(' ');
    return this.#add(`<polyline points="${list}" fill="none" stroke="${stroke}" stroke-width="${width}"/>`);
  }

  oval(x: number, y: number, radiusX: number, radiusY: number, fill: string, stroke = 'none'): this {
    return this.#add(
      `<ellipse cx="${x}" cy="${y}" rx="${radiusX}" ry="${radiusY}" fill="${fill}" stroke="${stroke}" stroke-width="2"/>`,
    );
  }

  /** Lines of text as wide as a column; returns where the next one would stand. */
  paragraph(random: Random, x: number, y: number, column: number, lines: number, style: TextStyle = {}): number {
    const { size = 14 } = style;
    const letters = Math.floor(column / (size * 0.6));
    for (let line = 0; line < lines; line++) {
      let text = '';
      while (text.length < letters - 10) text += `${word(random)} `;
      const end = line === lines - 1 ? between(random, 0.2, 0.9) : 1;
      this.text(x, y + line * size * 1.45, text.slice(0, text.length * end).trim(), style);
    }
    return y + lines * size * 1.45;
  }

  svg(): Buffer {
    const { width, height } = this;
    return Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${this.#body}</svg>`,
    );
  }

  #add(element: string): this {
    this.#body += element;
    return this;
  }
}
