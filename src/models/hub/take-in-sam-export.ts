/**
 * The entry of a SAM as its own code exports it, which is how MobileSAM lies on the hub: two ONNX files and no config. They are known
 * by the names of what they take; anything else is refused by them.
 */
import { LabelsmithError } from '../../errors.ts';
import { type FetchOptions, fetchFiles } from '../../fetch/fetch.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';
import { Session } from '../../onnx/session.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../backbones.ts';
import { cornerFeeds } from '../box-segmenter.ts';
import type { InputSpec, SegmenterEntry } from '../bundle.ts';
import { CORNER_LABELS, CORNERS, composeCorners } from '../compose-corners.ts';
import { composeModel, SINGLE } from '../compose-model.ts';
import { inspectNetwork, type Port } from '../inspect.ts';
import { readOnnx } from '../onnx-files.ts';
import { trialRun } from '../trial.ts';
import { fileNamed, sourceOf } from './configs.ts';
import { dataFilesOf } from './graph-files.ts';

/** Pixels of the input a place of SAM's image embedding: 64 places are 1,024 pixels. */
const STRIDE = 16;

interface Graphs {
  readonly encoder: ListedFile;
  readonly decoder: ListedFile;
}

/** The two graphs of a repository without a config; of several decoders the one that gives all masks to choose from. */
export function samExportIn(listing: Listing): Graphs | undefined {
  if (fileNamed(listing, 'config.json')) return undefined;
  const graphs = listing.files.filter(({ path }) => path.endsWith('.onnx'));
  const decoders = graphs.filter(({ path }) => /decoder/i.test(path));
  const encoders = graphs.filter(({ path }) => /encoder/i.test(path) && !/decoder/i.test(path));
  const decoder = decoders.find(({ path }) => /multi/i.test(path)) ?? decoders[0];
  const [encoder] = encoders;
  return encoder && decoder && encoders.length === 1 ? { encoder, decoder } : undefined;
}

type Base = Pick<SegmenterEntry, 'id' | 'licence' | 'description'> & Partial<Pick<SegmenterEntry, 'stated'>>;

/** Both graphs were run once, on a made-up picture with one box. */
export async function samExportOf(
  listing: Listing,
  { encoder, decoder }: Graphs,
  base: Base,
  options: FetchOptions,
): Promise<SegmenterEntry> {
  const filesOf = (graph: ListedFile) => [graph, ...dataFilesOf(listing, graph)].map(sourceOf);
  const read = async (graph: ListedFile) =>
    readOnnx((await fetchFiles(filesOf(graph), options)).map(({ path }) => path));
  const network = await read(encoder);
  const ports = inspectNetwork(network);
  const [image, ...others] = ports.inputs;
  if (!image || others.length > 0 || !ports.outputs.includes(CORNERS.image)) {
    const takes = ports.inputs.map(({ name }) => name).join(', ');
    throw refuse(listing, `${encoder.path} takes ${takes} and gives ${ports.outputs.join(', ')}`);
  }
  const prompt = await read(decoder);
  const { inputs, outputs } = inspectNetwork(prompt);
  const wanted = [CORNERS.image, CORNERS.points, CORNERS.labels, CORNERS.mask, CORNERS.hasMask];
  const missing =
    wanted.find((name) => !inputs.some((input) => input.name === name)) ??
    [CORNERS.masks, CORNERS.scores].find((name) => !outputs.includes(name));
  if (missing !== undefined) throw refuse(listing, `${decoder.path} has no ${missing}`);
  const entry: SegmenterEntry = {
    ...base,
    role: 'segmenter',
    asked: 'corners',
    values: [CORNERS.image],
    boxes: CORNERS.points,
    masks: CORNERS.masks,
    scores: CORNERS.scores,
    source: { files: filesOf(encoder), converter: 'onnx' },
    input: inputOf(listing, encoder.path, image, sideOf(listing, inputs)),
    graphs: {
      prompt: {
        source: { files: filesOf(decoder), converter: 'onnx' },
        takes: { kind: 'values', inputs: [CORNERS.image, CORNERS.points, CORNERS.labels] },
        outputs: [CORNERS.masks, CORNERS.scores],
      },
    },
  };
  await trial(entry, network, prompt, listing);
  return entry;
}

function sideOf(listing: Listing, decoder: readonly Port[]): number {
  const [, , rows, columns] = decoder.find(({ name }) => name === CORNERS.image)?.shape ?? [];
  if (typeof rows === 'number' && rows === columns) return STRIDE * rows;
  throw refuse(listing, `its decoder takes ${CORNERS.image} of ${rows} × ${columns} places, which is no fixed square`);
}

/** The longer side to the input's, zeros beside it once colours are normalised: within the graph where it takes rows of pixels. */
function inputOf(listing: Listing, file: string, { name, dtype, shape = [] }: Port, side: number): InputSpec {
  const [red = 0, green = 0, blue = 0] = IMAGENET_MEAN.map((mean) => mean * 255);
  const plain = { name, fit: 'cover', pad: [0, 0, 0], kernel: 'cubic' } as const;
  const pillow = { resample: 'bilinear', size: { kind: 'filled', fill: [red, green, blue] } } as const;
  if (dtype === 'float32' && shape.length === 3 && shape[2] === 3) {
    return { ...plain, pillow, width: side, height: side, layout: 'HWC' };
  }
  const [, channels, height, width] = shape;
  if (dtype === 'float32' && channels === 3 && width === side && height === side) {
    return { ...plain, pillow, width, height, scale: 1 / 255, mean: IMAGENET_MEAN, std: IMAGENET_STD };
  }
  throw refuse(
    listing,
    `${file} takes ${name} as ${dtype} [${shape}], not [height, width, 3] or [1, 3, ${side}, ${side}]`,
  );
}

/** One box with its corners named and with them named the other way round: a decoder that does not know them sees no difference. */
async function trial(entry: SegmenterEntry, network: Uint8Array, prompt: Uint8Array, listing: Listing): Promise<void> {
  const seen = await trialRun(composeModel(entry, network, SINGLE), entry.input);
  const { width, height } = entry.input;
  const box = float32([0.2 * width, 0.3 * height, 0.7 * width, 0.8 * height], [1, 1, 4]);
  const session = await Session.create(composeCorners(entry.id, prompt));
  try {
    const feeds = cornerFeeds(entry, seen, box);
    const answers = await session.run(feeds);
    const { dims } = answers[CORNERS.masks];
    if (dims.length !== 4 || dims[0] !== 1) throw refuse(listing, `it answers a box with ${CORNERS.masks} [${dims}]`);
    const swapped = { ...feeds, [CORNERS.labels]: float32([...CORNER_LABELS].reverse(), [1, 2]) };
    const other = float32Data((await session.run(swapped))[CORNERS.masks], CORNERS.masks);
    if (float32Data(answers[CORNERS.masks], CORNERS.masks).every((value, i) => value === other[i])) {
      throw refuse(listing, 'its decoder does not know the corners of a box (labels 2 and 3 of points)');
    }
  } finally {
    await session.close();
  }
}

function refuse({ name }: Listing, reason: string): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `${name} is not taken: ${reason}`, {
    hint: 'SAM as its own code exports it is: image_embeddings, point_coords, point_labels, mask_input, has_mask_input.',
  });
}
