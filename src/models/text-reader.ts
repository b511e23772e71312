/**
 * Reads the words in a picture: a network says where lines of text are, and another one reads each of them.
 *
 * Guarantees: what is read depends on the picture's pixels and the models (`key`) alone, since every line is read by itself. Lines
 * may lie in any direction: each is turned so that its longer side lies, and where it is read badly or stood upright, it is read
 * upside down too, and the surer reading counts. Resident: the picture, a quarter of a megabyte a line that is under way.
 */
import { readFile } from 'node:fs/promises';
import { inLanes } from '../core/lanes.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { fetchFiles } from '../fetch/fetch.ts';
import { InferencePool, type PoolModel } from '../onnx/pool.ts';
import { float32, float32Data, type Tensor } from '../onnx/tensor.ts';
import type { ReaderEntry } from './bundle.ts';
import { SINGLE } from './compose-model.ts';
import { readOnnx } from './onnx-files.ts';
import { findRole, type OpenOptions, runOnPool } from './open-model.ts';
import { prepareEntry } from './prepare.ts';
import { bestPath, type ReadText } from './text-reader/ctc.ts';
import { linesInMap } from './text-reader/lines-in-map.ts';
import type { Quadrilateral } from './text-reader/rectangle.ts';
import { type Picture, upright, wholeOf } from './text-reader/upright.ts';

export interface TextLine extends ReadText {
  /** Corners from the top left clockwise, in pixels of the picture. */
  readonly corners: Quadrilateral;
}

export interface TextReader {
  /** Says what read: the model's id and the hashes of both of its graphs. */
  readonly key: string;
  readonly id: string;
  /** Pixels of the longer side of pictures that is worth having: lines are found at half of it, and read at all of it. */
  readonly longest: number;
  /** Pictures that are worth having under way at once. */
  readonly capacity: number;
  /** Lines with a text, the largest first; at most {@link MAX_LINES}. @param picture may be of any size; it may be reused when the promise settles */
  read(picture: Picture): Promise<TextLine[]>;
  close(): Promise<void>;
}

export const READER = 'pp-ocr-v4';

/** Sides of what finds lines. */
const MULTIPLE = 32;
/** Small print beyond so many lines names nothing, and would take seconds. */
const MAX_LINES = 60;
/** A line that is so many times as high as wide stands upright. */
const STANDS = 1.5;
/** A reading that is surer is not tried upside down. */
const SURE = 0.8;
/** Times the height; a longer line is squeezed. */
const MAX_RATIO = 40;

export async function openTextReader(name: string = READER, options: OpenOptions = {}): Promise<TextReader> {
  const entry = await findRole(name, 'reader', options.cacheDir);
  const { key, path } = await prepareEntry(entry, SINGLE, options);
  const line = await fetchLineGraph(entry, options);
  const pool = options.pool ?? (await InferencePool.create({ threads: options.threads, device: options.device }));
  try {
    const lines = await pool.load(line.graph, { key: `${entry.id}:line@${line.key}` });
    const finder = await runOnPool(path, { key, input: entry.input }, { pool });
    return {
      key: `${key}+${line.key}`,
      id: entry.id,
      capacity: pool.threads,
      longest: 2 * Math.max(entry.input.width, entry.input.height),
      async read(picture) {
        const boxes = (await findLines(entry, finder.run, picture)).slice(0, MAX_LINES);
        const texts: ReadText[] = [];
        await inLanes(boxes.entries(), pool.capacity, async ([place, corners]) => {
          texts[place] = await readLine(picture, corners, (one) => readOne(entry, pool, lines, line.signs, one));
        });
        return boxes.flatMap((corners, i) => (texts[i]?.text ? [{ ...texts[i], corners }] : []));
      },
      async close() {
        if (!options.pool) return pool.close();
        await pool.unload(lines);
        return finder.close();
      },
    };
  } catch (error) {
    if (!options.pool) await pool.close();
    throw error;
  }
}

interface LineGraph {
  readonly graph: Uint8Array;
  readonly key: string;
  /** By their numbers: the blank first, the space last. */
  readonly signs: readonly string[];
}

async function fetchLineGraph(entry: ReaderEntry, options: OpenOptions): Promise<LineGraph> {
  const line = entry.graphs?.line;
  if (!line) throw new LabelsmithError('BAD_MODEL', `${entry.id} has no graph that reads a line`);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const files = await fetchFiles(line.source.files, { ...options, cacheDir, modelName: entry.id });
  const dictionary = await readFile(files[entry.dictionaryFile]?.path ?? '', 'utf8');
  const signs = dictionary.replace(/\r?\n$/, '').split(/\r?\n/);
  const paths = files.filter((_, place) => place !== entry.dictionaryFile).map(({ path }) => path);
  const key = files.map(({ sha256 }) => sha256.slice(0, 8)).join('');
  return { graph: await readOnnx(paths), key, signs: ['', ...signs, ' '] };
}

/** Corners of lines in pixels of the picture, the largest first. */
async function findLines(
  { input, map }: ReaderEntry,
  run: Awaited<ReturnType<typeof runOnPool>>['run'],
  picture: Picture,
): Promise<Quadrilateral[]> {
  const scale = Math.min(1, Math.max(input.width, input.height) / Math.max(picture.width, picture.height));
  const side = (length: number) => Math.max(MULTIPLE, Math.round((length * scale) / MULTIPLE) * MULTIPLE);
  const size = { width: side(picture.width), height: side(picture.height) };
  const pixels = Uint8Array.from(upright(picture, wholeOf(picture), size), Math.round);
  const found = float32Data((await run(pixels, { size })).map, map);
  const [scaleX, scaleY] = [picture.width / size.width, picture.height / size.height];
  const boxes = linesInMap(found, { rows: size.height, columns: size.width }).map(({ corners: [a, b, c, d] }) => {
    const inPicture = ([x, y]: Quadrilateral[0]): Quadrilateral[0] => [x * scaleX, y * scaleY];
    return [inPicture(a), inPicture(b), inPicture(c), inPicture(d)] as const;
  });
  const areas = new Map(boxes.map((corners) => [corners, widthOf(corners) * heightOf(corners)]));
  return boxes.sort((one, other) => (areas.get(other) ?? 0) - (areas.get(one) ?? 0));
}

const widthOf = ([a, b]: Quadrilateral) => Math.hypot(b[0] - a[0], b[1] - a[1]);
const heightOf = ([a, , , d]: Quadrilateral) => Math.hypot(d[0] - a[0], d[1] - a[1]);

/** The surest reading of a line. @param read of a picture of it, lying */
async function readLine(
  picture: Picture,
  [a, b, c, d]: Quadrilateral,
  read: (line: { readonly picture: Picture; readonly corners: Quadrilateral }) => Promise<ReadText>,
): Promise<ReadText> {
  const stands = heightOf([a, b, c, d]) >= STANDS * widthOf([a, b, c, d]);
  // Turned to the left, as a line that runs down is read.
  const corners: Quadrilateral = stands ? [b, c, d, a] : [a, b, c, d];
  const first = await read({ picture, corners });
  if (first.confidence >= SURE) return first;
  const [e, f, g, h] = corners;
  const second = await read({ picture, corners: [g, h, e, f] });
  return second.confidence > first.confidence ? second : first;
}

async function readOne(
  { line: { height, minWidth } }: ReaderEntry,
  pool: InferencePool,
  model: PoolModel,
  signs: readonly string[],
  { picture, corners }: { readonly picture: Picture; readonly corners: Quadrilateral },
): Promise<ReadText> {
  const ratio = Math.min(MAX_RATIO, widthOf(corners) / Math.max(1, heightOf(corners)));
  const width = Math.max(1, Math.ceil(height * ratio));
  const feed = lineInput(upright(picture, corners, { width, height }), { width, height, minWidth });
  const [input = '', output = ''] = [model.inputs[0], model.outputs[0]];
  const answer = (await pool.run(model, { [input]: feed }, [output]))[output];
  if (answer?.dims[2] !== signs.length) {
    throw new LabelsmithError(
      'BAD_MODEL',
      `${model.key} knows ${answer?.dims[2]} signs, and its list has ${signs.length}`,
    );
  }
  return bestPath(float32Data(answer, output), signs);
}

/** Shape [1, 3, height, width], BGR from −1 to 1; what is right of the line is 0. @param line shape [height, width, 3], RGB, 0 to 255 */
function lineInput(
  line: Float32Array,
  { width, height, minWidth }: { readonly width: number; readonly height: number; readonly minWidth: number },
): Tensor {
  const columns = Math.max(minWidth, 8 * Math.ceil(width / 8));
  const data = new Float32Array(3 * height * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        data[((2 - channel) * height + y) * columns + x] = line[(y * width + x) * 3 + channel] / 127.5 - 1;
      }
    }
  }
  return float32(data, [1, 3, height, columns]);
}
