/**
 * From an annotated image to the points that a detector's head is taught on: the image as the detector sees it, and its
 * mirror. What was made is kept among the workspace's blobs until the training is through, so that one that was stopped
 * goes on; the key says everything that the points depend on.
 */
import type { Box } from '../../../core/boxes.ts';
import { sha256Hex } from '../../../core/ids.ts';
import { seededRandom } from '../../../core/random.ts';
import { decodeLetterboxed, type Letterboxed } from '../../../images/decode.ts';
import { originalBytes, readImageIfThere } from '../../../jobs/image-reader.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import type { TaughtBox } from '../../../models/tuning/detector/heatmap.ts';
import { joinedPoints, type TaughtPoints, taughtPoints } from '../../../models/tuning/detector/taught-points.ts';
import type { TunableDetector } from '../../../models/tuning/detector/tunable-detector.ts';
import type { InferencePool, PoolModel } from '../../../onnx/pool.ts';
import { float32Data, uint8 } from '../../../onnx/tensor.ts';
import type { AnnotatedBox, AnnotatedImage } from './annotated-images.ts';

/** Grows whenever the same image would give other points. */
const VERSION = 1;
const BLOBS = 'detector-points/';

export interface PointsRequest {
  readonly workspace: Workspace;
  readonly detector: TunableDetector;
  readonly classNames: readonly string[];
  /** Points of a view at most, beside those around objects. */
  readonly points: number;
  readonly seed: number;
}

/** A function that makes the points of an image, or finds them; undefined where the image cannot be read. */
export function pointsMaker(
  { workspace, detector, classNames, points, seed }: PointsRequest,
  pool: InferencePool,
  below: PoolModel,
): (image: AnnotatedImage) => Promise<TaughtPoints | undefined> {
  const { entry, rows, columns, stride, channels } = detector;
  const { store, blobs } = workspace;
  const shape = { classes: classNames.length, rows, columns, stride };
  const readBytes = originalBytes(workspace);
  const common = { VERSION, source: entry.source, known: entry.classNames, classNames, points, seed };
  return async ({ id, boxes }) => {
    const key = `${BLOBS}${sha256Hex(Buffer.from(JSON.stringify({ common, id, boxes })))}.bin`;
    const kept = await blobs.get(key);
    if (kept) return decoded(kept, channels, classNames.length);
    const bytes = await readImageIfThere(store, id, readBytes);
    if (!bytes) return undefined;
    const seen = await decodeLetterboxed(bytes, entry.input);
    const views = [viewOf(seen, boxes), mirrored(viewOf(seen, boxes), seen, entry.input)];
    const parts: TaughtPoints[] = [];
    for (const [i, view] of views.entries()) {
      const dims = [1, entry.input.height, entry.input.width, 3];
      const { map, best } = await pool.run(below, { pixels: uint8(view.pixels, dims) });
      const random = seededRandom(seed, `points:${id}:${i}`);
      const arrays = { map: float32Data(map, 'map'), best: float32Data(best, 'best') };
      parts.push(taughtPoints(arrays, view.boxes, shape, { points, random }));
    }
    const made = joinedPoints(parts);
    await blobs.put(key, encoded(made));
    return made;
  };
}

/** When a training is through, its points are of no use. */
export async function dropPoints({ blobs }: Pick<Workspace, 'blobs'>): Promise<void> {
  for await (const { key } of blobs.list(BLOBS)) await blobs.delete(key);
}

interface View {
  readonly pixels: Uint8Array;
  readonly boxes: readonly TaughtBox[];
}

function viewOf({ pixels, scaleX, scaleY }: Letterboxed, boxes: readonly AnnotatedBox[]): View {
  const placed = ([x1, y1, x2, y2]: Box): Box => [x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY];
  return { pixels, boxes: boxes.map((one) => ({ ...one, box: placed(one.box) })) };
}

/** The image turned in its place at the left; what is beside it stays. */
function mirrored(
  { pixels, boxes }: View,
  seen: Letterboxed,
  input: { readonly width: number; readonly height: number },
): View {
  const [width, height] = [Math.round(seen.width * seen.scaleX), Math.round(seen.height * seen.scaleY)];
  const turned = Uint8Array.from(pixels);
  for (let y = 0; y < height; y++) {
    const row = y * input.width;
    for (let x = 0; x < width; x++) {
      const from = 3 * (row + width - 1 - x);
      turned.set(pixels.subarray(from, from + 3), 3 * (row + x));
    }
  }
  const turn = ([x1, y1, x2, y2]: Box): Box => [width - x2, y1, width - x1, y2];
  return { pixels: turned, boxes: boxes.map((one) => ({ ...one, box: turn(one.box) })) };
}

function encoded({ features, objects, background }: TaughtPoints): Uint8Array {
  const all = new Float32Array(features.length + objects.length + background.length);
  all.set(features);
  all.set(objects, features.length);
  all.set(background, features.length + objects.length);
  return new Uint8Array(all.buffer);
}

function decoded(bytes: Uint8Array, channels: number, classes: number): TaughtPoints {
  const all = new Float32Array(Uint8Array.from(bytes).buffer);
  const count = all.length / (channels + 2 * classes);
  const [one, two] = [count * channels, count * (channels + classes)];
  return { features: all.subarray(0, one), objects: all.subarray(one, two), background: all.subarray(two) };
}
