/** What must come back of an image that a format wrote: all that it keeps, as near as it keeps it. */
import assert from 'node:assert/strict';
import { type Box, clipBox } from '../../../src/core/boxes.ts';
import type {
  DatasetImage,
  ImportedImage,
  ImportedRegion,
  LabelValue,
  RegionRecord,
} from '../../../src/core/dataset.ts';
import type { RegionDetails } from '../../../src/core/region-details.ts';
import type { Format, FormatName, Keeps } from '../../../src/formats/format.ts';
import { cornersOfRotated, smallestRectangle, turnedBoxOf } from '../../../src/formats/rotated-box.ts';

interface PlainLabel {
  readonly class: string;
  readonly confidence: number | null;
  readonly origin: string | null;
  readonly task: string | null;
}

interface PlainRegion {
  /** xyxy in pixels. */
  readonly box: readonly number[];
  readonly labels: readonly PlainLabel[];
  readonly mask: unknown;
  readonly polygons: readonly (readonly number[])[] | null;
  readonly keypoints: ImportedRegion['keypoints'];
  readonly crowd: boolean;
  readonly id: string | null;
  readonly touched: boolean;
  readonly rejected: unknown;
  readonly details: RegionDetails;
}

interface PlainImage {
  readonly size: readonly [number, number] | null;
  readonly split: string | null;
  readonly labels: readonly PlainLabel[];
  readonly regions: readonly PlainRegion[];
  readonly rejected: unknown;
  readonly deleted: readonly PlainRegion[];
}

const millionth = (value: number) => Math.round(value * 1e6) / 1e6 + 0;
const sorted = <T>(items: readonly T[]) =>
  items.slice().sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** What a format does that `keeps` does not say, by format; each is among the format's losses in words. */
interface Peculiarity {
  readonly region?: (region: RegionRecord, image: DatasetImage, most: number) => Partial<RegionRecord>;
  readonly labels?: (image: DatasetImage) => readonly LabelValue[];
  /** What it says of a region by itself. */
  readonly details?: (region: RegionRecord, image: DatasetImage) => RegionDetails;
  /** Regions whose labels people or imports gave come before the others. */
  readonly peopleFirst?: boolean;
}

const PECULIAR: Partial<Record<FormatName, Peculiarity>> = {
  // COCO has one place for both.
  coco: { region: ({ polygons, mask }) => ({ mask: polygons === null ? mask : null }) },
  // A box that the image's edge cuts is marked as such.
  voc: {
    details: ({ box }, { width, height }) =>
      box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height ? { truncated: true } : {},
  },
  // Annotations and predictions are two lists.
  'label-studio': { peopleFirst: true },
  'yolo-seg': { region: outlined },
  // The smallest turned box around polygons takes the place of the box.
  'yolo-obb': {
    region({ polygons, box }) {
      const outlines = (polygons ?? []).filter((polygon) => shoelace(polygon) / 2 >= 1);
      return { box: outlines.length === 0 ? box : around(cornersOfRotated(smallestRectangle(outlines))) };
    },
  },
  'yolo-pose': {
    region({ keypoints }, { width, height }, most) {
      if (keypoints === null || keypoints.every(([, , visibility]) => visibility === 0)) return { keypoints: null };
      const padded = Array.from({ length: most }, (_, i) => keypoints[i] ?? ([0, 0, 0] as const));
      return {
        keypoints: padded.map(([x, y, v]) =>
          v === 0 ? ([0, 0, 0] as const) : ([Math.min(x, width), Math.min(y, height), v] as const),
        ),
      };
    },
  },
  xmp: {
    labels(image) {
      const all = image.labels.length > 0 ? image.labels : image.regions.flatMap((region) => region.labels);
      const names = new Set([...new Set(all.map(({ className }) => className))].map((name) => name.trim()));
      return [...names].map((className) => ({ ...all[0], className }));
    },
  },
};

/** The outline that takes the box's place: polygons with an area, else the mask's one pixel, else the box. */
function outlined({ polygons, mask, box }: RegionRecord, { width, height }: DatasetImage): Partial<RegionRecord> {
  const [polygon] = polygons ?? [];
  if (polygon !== undefined && shoelace(polygon) > 0) return { polygons: [polygon], box: around(polygon) };
  const [x1, y1, x2, y2] =
    mask === null
      ? [Math.max(box[0], 0), Math.max(box[1], 0), Math.min(box[2], width), Math.min(box[3], height)]
      : [width - 1, height - 1, width, height];
  const corners = [x1, y1, x2, y1, x2, y2, x1, y2];
  return { polygons: x2 > x1 && y2 > y1 ? [corners] : null, box: [x1, y1, x2, y2] };
}

function shoelace(polygon: readonly number[]): number {
  let twice = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const [x, y, nextX, nextY] = [0, 1, 2, 3].map((k) => polygon[(i + k) % polygon.length]) as [
      number,
      number,
      number,
      number,
    ];
    twice += x * nextY - nextX * y;
  }
  return Math.abs(twice);
}

function around(polygon: readonly number[]): Box {
  const xs = polygon.filter((_, i) => i % 2 === 0);
  const ys = polygon.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** What `keeps` promises of one image. Coordinates are left as they are: they are compared with a tolerance. */
export function promised(given: DatasetImage, format: Format, most: number): PlainImage {
  const { keeps } = format;
  const peculiar = PECULIAR[format.name];
  const image: DatasetImage = {
    ...given,
    labels: peculiar?.labels?.(given) ?? given.labels,
    regions: given.regions.map((region) => ({ ...region, ...peculiar?.region?.(region, given, most) })),
  };
  const plain = (value: LabelValue, score: number | null): PlainLabel => {
    const known = value.confidence ?? score;
    return {
      class: value.className,
      confidence: keeps.confidence && known !== null ? millionth(known) : null,
      origin: keeps.origin ? value.origin : null,
      task: keeps.task ? value.task : null,
    };
  };
  const regionsOf = (region: RegionRecord): PlainRegion[] => {
    const own = region.labels.map((value) => plain(value, keeps.regionClasses === 'together' ? null : region.score));
    const rest = {
      box: region.box,
      mask: keeps.masks ? region.mask : null,
      polygons: keeps.polygons ? region.polygons : null,
      keypoints: keeps.keypoints ? region.keypoints : null,
      crowd: keeps.crowd && region.crowd,
      id: keeps.regionIds ? region.id : null,
      touched: keeps.regionIds && region.touched === true,
      rejected: keeps.rejections ? (region.rejected ?? []) : [],
      details: Object.fromEntries(
        Object.entries({ ...region.details, ...peculiar?.details?.(region, given) }).filter(([name]) =>
          // Of turned boxes, which are kept nearly, a test of their own.
          keeps.details.some((kept) => kept === name && kept !== 'rotatedBox'),
        ),
      ),
    };
    switch (keeps.regionClasses) {
      case 'together':
        return [{ ...rest, labels: sorted(own) }];
      case 'apart':
        return own.map((value) => ({ ...rest, labels: [value] }));
      case 'best':
        return [{ ...rest, labels: own.slice(0, 1) }];
      default:
        keeps.regionClasses satisfies never;
        throw new Error('unknown');
    }
  };
  const isMachines = ({ labels: [label] }: PlainRegion) => label?.origin !== 'human' && label?.origin !== 'imported';
  const ordered = (regions: readonly PlainRegion[]) =>
    peculiar?.peopleFirst ? regions.toSorted((a, b) => Number(isMachines(a)) - Number(isMachines(b))) : regions;
  const best = bestOf(image);
  const kept = keeps.boxes === 'none' ? [] : image.regions.filter((region) => survives(region.box, image, keeps));
  return {
    size: keeps.size ? [image.width, image.height] : null,
    split: keeps.split ? image.split : null,
    labels:
      keeps.imageLabels === 'none'
        ? []
        : keeps.imageLabels === 'all'
          ? sorted(image.labels.map((value) => plain(value, null)))
          : best === null
            ? []
            : [plain(best, null)],
    regions: ordered(kept.flatMap(regionsOf)),
    rejected: keeps.rejections ? (image.rejected ?? []) : [],
    deleted: keeps.rejections ? (image.deleted ?? []).flatMap(regionsOf) : [],
  };
}

/** The most confident class, of the regions where the image itself has none; ties by name. */
function bestOf(image: DatasetImage): LabelValue | null {
  const all = image.labels.length > 0 ? image.labels : image.regions.flatMap((region) => region.labels);
  const ranked = all
    .slice()
    .sort((a, b) => (b.confidence ?? 1) - (a.confidence ?? 1) || (a.className < b.className ? -1 : 1));
  return ranked[0] ?? null;
}

/** Formats bound to the image drop what lies outside it, and declare that. */
function survives(box: Box, { width, height }: DatasetImage, keeps: Keeps): boolean {
  if (keeps.boxes === 'outlines') return box[2] > box[0] && box[3] > box[1];
  const inside = Math.min(box[2], width) > Math.max(box[0], 0) && Math.min(box[3], height) > Math.max(box[1], 0);
  return (keeps.boxes === 'exact' && keeps.regionClasses !== 'best') || inside;
}

/** As the stage that knows the image makes it. */
export function inPixels(region: ImportedRegion, { width, height }: DatasetImage): ImportedRegion {
  const scale = (i: number) => (region.unit === 'pixels' ? 1 : i % 2 === 0 ? width : height);
  const [x1, y1, x2, y2] = region.box;
  return turnedBoxOf({
    ...region,
    unit: 'pixels',
    box: [x1 * scale(0), y1 * scale(1), x2 * scale(0), y2 * scale(1)],
    polygons: region.polygons?.map((polygon) => polygon.map((value, i) => value * scale(i))) ?? null,
    keypoints: region.keypoints?.map(([x, y, v]) => [x * scale(0), y * scale(1), v] as const) ?? null,
  });
}

export function imported(parts: readonly ImportedImage[], image: DatasetImage): PlainImage {
  const plain = (value: ImportedImage['labels'][number]): PlainLabel => ({
    class: value.className,
    confidence: value.confidence,
    origin: value.origin,
    task: value.task,
  });
  const region = (given: ImportedRegion): PlainRegion => {
    const read = inPixels(given, image);
    const { rotatedBox: _, ...details } = read.details ?? {};
    return {
      box: given.corners === undefined ? read.box : clipBox(read.box, image.width, image.height),
      labels: sorted(read.labels.map(plain)),
      mask: read.mask,
      polygons: read.polygons,
      keypoints: read.keypoints,
      crowd: read.crowd,
      id: read.id ?? null,
      touched: read.touched === true,
      rejected: read.rejected ?? [],
      details,
    };
  };
  const [first] = parts as [ImportedImage];
  return {
    size: first.width === null || first.height === null ? null : [first.width, first.height],
    split: first.split,
    labels: sorted(parts.flatMap((part) => part.labels.map(plain))),
    regions: parts.flatMap((part) => part.regions.map(region)),
    rejected: first.rejected ?? [],
    deleted: (first.deleted ?? []).map(region),
  };
}

/** How far an edge may move, in pixels, along an axis of `size` pixels. */
function tolerance(keeps: Keeps, size: number): number {
  switch (keeps.boxes) {
    case 'exact':
      return 0.0011;
    // Half a millionth by rounding, one to make the centre whole, one more for boxes thinner than two.
    case 'millionths':
    case 'outlines':
      return size * 2.5e-6 + 1e-9;
    // Half a pixel, or a whole one where less than a pixel is left.
    case 'whole-pixels':
      return 1 + 1e-9;
    case 'none':
      return 0;
    default:
      keeps.boxes satisfies never;
      throw new Error('unknown');
  }
}

/** Lists of `[x, y, …]` within the tolerance of boxes. */
function assertNear(
  got: readonly (readonly number[])[] | null | undefined,
  want: readonly (readonly number[])[] | null | undefined,
  { width, height }: DatasetImage,
  keeps: Keeps,
  what: string,
): void {
  assert.deepEqual(
    got?.map((list) => list.length),
    want?.map((list) => list.length),
    what,
  );
  for (const [n, list] of (want ?? []).entries())
    for (const [i, value] of list.entries()) {
      const near = got?.[n]?.[i] as number;
      assert.ok(
        Math.abs(near - value) <= tolerance(keeps, i % 2 === 0 ? width : height),
        `${what}: ${near} for ${value}`,
      );
    }
}

export function assertRegions(
  got: readonly PlainRegion[],
  want: readonly PlainRegion[],
  image: DatasetImage,
  keeps: Keeps,
): void {
  assert.equal(got.length, want.length, 'number of regions');
  for (const [i, region] of want.entries()) {
    const { box, polygons, keypoints, ...rest } = got[i];
    const { box: expected, polygons: outlines, keypoints: points, ...expectedRest } = region;
    assert.deepEqual(rest, expectedRest, `region ${i}`);
    assertNear(polygons, outlines, image, keeps, `region ${i} polygons`);
    assertNear(
      keypoints?.map(([x, y]) => [x, y]),
      points?.map(([x, y]) => [x, y]),
      image,
      keeps,
      `region ${i} keypoints`,
    );
    assert.deepEqual(
      keypoints?.map((point) => point[2]),
      points?.map((point) => point[2]),
      `region ${i} visibility`,
    );
    for (const axis of [0, 1, 2, 3]) {
      const size = axis % 2 === 0 ? image.width : image.height;
      const value = expected[axis];
      const clipped = keeps.boxes === 'exact' ? value : Math.min(Math.max(value, 0), size);
      const error = Math.abs(box[axis] - clipped);
      assert.ok(error <= tolerance(keeps, size), `region ${i} edge ${axis}: ${box[axis]} for ${clipped} of ${size}`);
      if (keeps.boxes !== 'exact') assert.ok(box[axis] >= -1e-9 && box[axis] <= size + 1e-9);
    }
  }
}

/** Every file of a folder (or one file) with its hash. */
/** What a folder holds, sorted, but the marker that says who wrote it. */
