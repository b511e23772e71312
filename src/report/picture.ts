/**
 * Pictures of the report. Each is in the file once, as an SVG image that every place refers to; boxes are SVG rectangles
 * in the image's own pixels, so they are right at any size.
 */
import type { Box } from '../core/boxes.ts';
import type { ImageId } from '../core/ids.ts';
import { html, type Markup } from './markup.ts';
import type { ReportPicture } from './report-data.ts';
import { percent } from './words.ts';

/** Pictures with the short ids they have in the page. */
export class Pictures {
  readonly #pictures: ReadonlyMap<ImageId, ReportPicture>;
  readonly #names: ReadonlyMap<ImageId, string>;

  constructor(pictures: ReadonlyMap<ImageId, ReportPicture>) {
    this.#pictures = pictures;
    this.#names = new Map([...pictures.keys()].map((id, i) => [id, `p${i}`]));
  }

  /**
   * Rules that fill every row of pictures to its end at one height: a picture's width, and its part of what is left of a
   * row, go by its shape. They are a style sheet and not attributes, since the policy forbids those.
   */
  style(): string {
    const shapes = new Set([...this.#pictures.values()].map(shapeOf));
    return [...shapes]
      .sort((a, b) => a - b)
      .map((shape) => `.s${shape} { flex: ${shape / 100} 1 calc(var(--row) * ${shape / 100}); }\n`)
      .join('');
  }

  /** Has to stand in the page before the first reference. */
  definitions(): Markup {
    const images = [...this.#pictures].map(([id, { width, height, thumbnail }]) => {
      const data = `data:${thumbnail.mediaType};base64,${Buffer.from(thumbnail.bytes).toString('base64')}`;
      return html`<image id="${this.#names.get(id)}" width="${width}" height="${height}" preserveAspectRatio="none" href="${data}"/>\n`;
    });
    return html`<svg class="definitions" width="0" height="0" aria-hidden="true"><defs>${images}</defs></svg>`;
  }

  /** A picture with its boxes that opens large; nothing if the picture was left out. */
  shot(id: ImageId, what: string, options: ShotOptions = {}): Markup | null {
    const picture = this.#pictures.get(id);
    if (!picture) return null;
    const { boxes = [], confidence = null } = options;
    const parts = [
      what,
      boxes.length > 1 ? `${boxes.length} boxes` : null,
      confidence === null ? null : `confidence ${percent(confidence)}`,
      `${picture.width} × ${picture.height}`,
    ].filter((part) => part !== null);
    return html`<li class="s${shapeOf(picture)}"><button type="button" class="shot" data-file="${picture.file}" data-facts="${parts.join(' · ')}" title="${picture.file}" aria-label="${picture.file}: ${parts.join(', ')}. Show large.">
${drawing(this.#names.get(id) as string, picture, boxes)}${confidence !== null && html`<span class="chip" aria-hidden="true">${percent(confidence)}</span>`}
</button></li>\n`;
  }

  shots(items: readonly (Markup | null)[]): Markup | null {
    const shown = items.filter((item) => item !== null);
    return shown.length > 0 ? html`<ul class="shots">\n${shown}</ul>` : null;
  }
}

export interface ShotOptions {
  readonly boxes?: readonly Box[];
  readonly confidence?: number | null;
}

/** Width over height in hundredths, within what a row can show. */
function shapeOf({ width, height }: ReportPicture): number {
  return Math.min(Math.max(Math.round((100 * width) / height), 40), 400);
}

/** Drawn twice, dark and then light, so that a box shows on any ground. */
function drawing(name: string, { width, height }: ReportPicture, boxes: readonly Box[]): Markup {
  const outlines = boxes.map((box) => {
    const [x1, y1, x2, y2] = box.map((value) => Math.round(value * 10) / 10);
    const rect = (style: string) =>
      html`<rect class="${style}" x="${x1}" y="${y1}" width="${Math.max(0, x2 - x1)}" height="${Math.max(0, y2 - y1)}"/>`;
    return [rect('halo'), rect('box')];
  });
  return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="xMidYMid meet" aria-hidden="true"><use href="#${name}"/>${outlines}</svg>`;
}
