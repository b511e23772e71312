/**
 * Pictures of the report. Each is in the file once, as an SVG image that every place refers to; boxes, outlines of masks and
 * keypoints are drawn in the image's own pixels, so they are right at any size.
 */
import type { Box } from '../core/boxes.ts';
import { type ImageId, type ItemId, isImageId, type RegionId } from '../core/ids.ts';
import { html, type Markup } from '../core/markup.ts';
import type { ReportPicture, ReportShape } from './picture-data.ts';
import { percent } from './words.ts';

/** Pictures with the short ids they have in the page. */
export class Pictures {
  readonly #pictures: ReadonlyMap<ImageId, ReportPicture>;
  readonly #names: ReadonlyMap<ImageId, string>;
  readonly #shapes: ReadonlyMap<RegionId, ReportShape>;

  constructor(pictures: ReadonlyMap<ImageId, ReportPicture>, shapes: ReadonlyMap<RegionId, ReportShape>) {
    this.#pictures = pictures;
    this.#shapes = shapes;
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

  /** A picture with its boxes that opens large; nothing if the picture was left out, and of regions. */
  shot(id: ItemId, what: string, options: ShotOptions = {}): Markup | null {
    if (!isImageId(id)) return null;
    const picture = this.#pictures.get(id);
    if (!picture) return null;
    const { regions = [], confidence = null } = options;
    const shapes = regions.flatMap(({ id: region }) => (region ? (this.#shapes.get(region) ?? []) : []));
    const parts = [
      what,
      regions.length > 1 ? `${regions.length} boxes` : null,
      shapes.some(({ contours }) => contours.length > 0) ? 'masks' : null,
      shapes.some(({ keypoints }) => keypoints) ? 'keypoints' : null,
      confidence === null ? null : `confidence ${percent(confidence)}`,
      `${picture.width} × ${picture.height}`,
    ].filter((part) => part !== null);
    return html`<li class="s${shapeOf(picture)}"><button type="button" class="shot" data-file="${picture.file}" data-facts="${parts.join(' · ')}" title="${picture.file}" aria-label="${picture.file}: ${parts.join(', ')}. Show large.">
${drawing(this.#names.get(id) as string, picture, regions, shapes)}${confidence !== null && html`<span class="chip" aria-hidden="true">${percent(confidence)}</span>`}
</button></li>\n`;
  }

  shots(items: readonly (Markup | null)[]): Markup | null {
    const shown = items.filter((item) => item !== null);
    return shown.length > 0 ? html`<ul class="shots">\n${shown}</ul>` : null;
  }
}

export interface ShotOptions {
  /** Drawn as boxes; with an id, with their masks and keypoints too. `other` ones are drawn in the second colour. */
  readonly regions?: readonly { readonly box: Box; readonly id?: RegionId; readonly other?: boolean }[];
  readonly confidence?: number | null;
}

/** Width over height in hundredths, within what a row can show. */
function shapeOf({ width, height }: ReportPicture): number {
  return Math.min(Math.max(Math.round((100 * width) / height), 40), 400);
}

/** Drawn twice, dark and then light, so that a line shows on any ground. */
function drawing(
  name: string,
  { width, height }: ReportPicture,
  regions: NonNullable<ShotOptions['regions']>,
  shapes: readonly ReportShape[],
): Markup {
  const contours = regions.map(({ box, other }) => {
    const [x1, y1, x2, y2] = box.map(tenths) as [number, number, number, number];
    const rect = (style: string) =>
      html`<rect class="${style}" x="${x1}" y="${y1}" width="${tenths(Math.max(0, x2 - x1))}" height="${tenths(Math.max(0, y2 - y1))}"/>`;
    return [rect('halo'), rect(other ? 'box other' : 'box')];
  });
  return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="xMidYMid meet" aria-hidden="true"><use href="#${name}"/>${shapes.map(maskOf)}${contours}${shapes.map(skeletonOf)}</svg>`;
}

function maskOf({ contours }: ReportShape): Markup | null {
  if (contours.length === 0) return null;
  const ways = contours.map((polygon) => `M${polygon.map(tenths).join(' ')}Z`).join('');
  return html`<path class="mask" d="${ways}"/>`;
}

/** COCO's skeleton of a person: pairs of its 17 keypoints, counted from 0. */
const BONES: readonly (readonly [number, number])[] = [
  [15, 13],
  [13, 11],
  [16, 14],
  [14, 12],
  [11, 12],
  [5, 11],
  [6, 12],
  [5, 6],
  [5, 7],
  [6, 8],
  [7, 9],
  [8, 10],
  [1, 2],
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
  [3, 5],
  [4, 6],
];

/** Points that are there, and lines between them where they are a person's; a dot is a line of no length with round ends. */
function skeletonOf({ keypoints }: ReportShape): Markup | null {
  if (!keypoints) return null;
  const at = (i: number) => {
    const point = keypoints[i];
    return point && point[2] > 0 ? `${tenths(point[0])} ${tenths(point[1])}` : null;
  };
  const bones = (keypoints.length === 17 ? BONES : []).flatMap(([a, b]) => {
    const [from, to] = [at(a), at(b)];
    return from && to ? [`M${from}L${to}`] : [];
  });
  const joints = keypoints.flatMap((_, i) => (at(i) ? [`M${at(i)}h0`] : []));
  return html`<path class="halo" d="${bones.join('')}"/><path class="bones" d="${bones.join('')}"/><path class="joints" d="${joints.join('')}"/>`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
