/**
 * Masks by box from a network of the hub (SAM and its kin): an image is looked at once, and its boxes are asked about.
 *
 * Guarantees: a mask depends on the image's pixels, its box and the model (`key`) alone; it lies within its box and is never
 * empty. Resident: what the network makes of one image a run (17 MB of SAM 2), and the answers to {@link BOXES_A_RUN} boxes.
 */
import type { Box } from '../core/boxes.ts';
import type { MaskRle } from '../core/dataset.ts';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { fetchFiles } from '../fetch/fetch.ts';
import { InferencePool, type PoolModel } from '../onnx/pool.ts';
import type { Tensors } from '../onnx/session.ts';
import { float32, float32Data, type Tensor } from '../onnx/tensor.ts';
import type { InputSpec, SegmenterEntry } from './bundle.ts';
import { CORNER_LABELS, CORNERS, composeCorners } from './compose-corners.ts';
import { SINGLE } from './compose-model.ts';
import type { Frame } from './detectors/in-image.ts';
import { readOnnx } from './onnx-files.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';
import { type MaskLogits, maskOfLogits } from './segmenter/logits.ts';

export interface BoxSegmenter {
  /** Says what made a mask: the model's id and the hashes of both of its graphs. */
  readonly key: string;
  readonly id: string;
  readonly input: Pick<InputSpec, 'width' | 'height' | 'pad' | 'kernel' | 'pillow'>;
  /** The network's best answer to each box, in their order. @param boxes in pixels of the image */
  propose(pixels: Uint8Array, frame: Frame, boxes: readonly Box[]): Promise<MaskLogits[]>;
  /** The same as masks of the whole image. */
  masks(pixels: Uint8Array, frame: Frame, boxes: readonly Box[]): Promise<MaskRle[]>;
  close(): Promise<void>;
}

/** Boxes that are asked about at once: 13 MB of logits of SAM 2. */
const BOXES_A_RUN = 16;

export async function openBoxSegmenter(name: string, options: OpenOptions = {}): Promise<BoxSegmenter> {
  const entry = await findRole(name, 'segmenter', options.cacheDir);
  const { key, path } = await prepareEntry(entry, SINGLE, options);
  const fetched = await fetchPrompt(entry, options);
  const network = entry.asked === 'corners' ? composeCorners(entry.id, fetched) : fetched;
  const boxesARun = entry.asked === 'corners' ? 1 : BOXES_A_RUN;
  const promptKey = sha256Hex(network).slice(0, 16);
  const pool = options.pool ?? (await InferencePool.create({ threads: options.threads, device: options.device }));
  try {
    const prompt = await pool.load(network, { key: `${entry.id}:prompt@${promptKey}` });
    const encoder = await runOnPool(path, { key, input: entry.input }, { pool });
    const propose = async (pixels: Uint8Array, frame: Frame, boxes: readonly Box[]) => {
      const seen = await encoder.run(pixels);
      const answers: MaskLogits[] = [];
      for (let i = 0; i < boxes.length; i += boxesARun) {
        const feeds = promptFeeds(entry, prompt, seen, inInput(boxes.slice(i, i + boxesARun), frame));
        answers.push(...bestMasks(entry, await pool.run(prompt, feeds, [entry.masks, entry.scores])));
      }
      return answers;
    };
    const { width, height, pad, kernel, pillow } = entry.input;
    return {
      key: `${key}+${promptKey}`,
      id: entry.id,
      input: { width, height, pad, kernel, ...(pillow ? { pillow } : {}) },
      propose,
      async masks(pixels, frame, boxes) {
        const answers = await propose(pixels, frame, boxes);
        return answers.map((answer, i) => maskOfLogits(answer, entry.input, frame, boxes[i]));
      },
      async close() {
        if (!options.pool) return pool.close();
        await pool.unload(prompt);
        return encoder.close();
      },
    };
  } catch (error) {
    if (!options.pool) await pool.close();
    throw error;
  }
}

async function fetchPrompt(entry: SegmenterEntry, options: OpenOptions): Promise<Uint8Array> {
  const prompt = entry.graphs?.prompt;
  if (!prompt) throw new LabelsmithError('BAD_MODEL', `${entry.id} has no graph that takes boxes`);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const files = await fetchFiles(prompt.source.files, { ...options, cacheDir, modelName: entry.id });
  return readOnnx(files.map(({ path }) => path));
}

/** @returns shape [1, boxes, 4], in pixels of the input */
function inInput(boxes: readonly Box[], { scaleX, scaleY }: Frame): Tensor {
  const values = boxes.flatMap(([x1, y1, x2, y2]) => [x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY]);
  return float32(Float32Array.from(values), [1, boxes.length, 4]);
}

/** Points that a graph takes beside boxes are none. @param seen what the other graph made of the image */
export function promptFeeds(
  entry: Pick<SegmenterEntry, 'values' | 'boxes' | 'asked'>,
  { inputs }: Pick<PoolModel, 'inputs'>,
  seen: Tensors,
  boxes: Tensor,
): Tensors {
  if (entry.asked === 'corners') return cornerFeeds(entry, seen, boxes);
  const { values, boxes: name } = entry;
  const count = boxes.dims[1] ?? 0;
  const feeds: Tensors = {
    input_points: float32(new Float32Array(0), [1, count, 0, 2]),
    input_labels: { dtype: 'int64', data: new BigInt64Array(0), dims: [1, count, 0] },
    ...Object.fromEntries(values.map((value) => [value, seen[value]])),
    [name]: boxes,
  };
  return Object.fromEntries(inputs.map((input) => [input, feeds[input]]));
}

/** @param box one, [1, 1, 4] */
export function cornerFeeds({ values }: Pick<SegmenterEntry, 'values'>, seen: Tensors, box: Tensor): Tensors {
  return {
    ...Object.fromEntries(values.map((value) => [value, seen[value]])),
    [CORNERS.points]: { ...box, dims: [1, 2, 2] },
    [CORNERS.labels]: float32(Float32Array.from(CORNER_LABELS), [1, 2]),
  };
}

/** Masks that SAM makes of a prompt: the first is for many points, and it does not count for two (`SamOnnxModel.select_masks`). */
const MASKS_OF_CORNERS = 4;

/** Of the masks of each box the one that the network thinks best; the first of equals. */
function bestMasks({ masks, scores, asked }: SegmenterEntry, answers: Tensors): MaskLogits[] {
  const { dims } = answers[masks];
  const [boxes = 0, choices = 0, rows = 0, columns = 0] = asked === 'corners' ? dims : dims.slice(1);
  const first = asked === 'corners' && choices === MASKS_OF_CORNERS ? 1 : 0;
  const logits = float32Data(answers[masks], masks);
  const said = float32Data(answers[scores], scores);
  return Array.from({ length: boxes }, (_, box) => {
    const ofBox = said.subarray(box * choices, (box + 1) * choices);
    const best = ofBox.indexOf(Math.max(...ofBox.subarray(first)), first);
    const start = (box * choices + best) * rows * columns;
    return { logits: logits.slice(start, start + rows * columns), rows, columns, score: ofBox[best] };
  });
}
