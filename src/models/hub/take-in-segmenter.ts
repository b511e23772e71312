/** The entry of a network that makes masks by box: two graphs, of which the second is checked by the names of what it takes. */
import { LabelsmithError } from '../../errors.ts';
import { type FetchOptions, fetchFiles } from '../../fetch/fetch.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';
import { Session } from '../../onnx/session.ts';
import { float32 } from '../../onnx/tensor.ts';
import { promptFeeds } from '../box-segmenter.ts';
import type { SegmenterEntry } from '../bundle.ts';
import { composeModel, SINGLE } from '../compose-model.ts';
import { inspectNetwork, type NetworkPorts } from '../inspect.ts';
import { readOnnx } from '../onnx-files.ts';
import { trialRun } from '../trial.ts';
import { sourceOf } from './configs.ts';
import { dataFilesOf, graphFile, type Precision } from './graph-files.ts';

/** The name of the file that takes boxes, without its suffix. */
export const PROMPT_GRAPH = 'prompt_encoder_mask_decoder';
const BOXES = 'input_boxes';
/** What a graph may take beside boxes and what the other graph makes: points, which can be none. */
const POINTS = ['input_points', 'input_labels'];
const MASKS = 'pred_masks';
const SCORES = 'iou_scores';

interface SegmenterParts {
  readonly listing: Listing;
  /** Of the graph that takes the image. */
  readonly network: Uint8Array;
  readonly ports: NetworkPorts;
  readonly base: Omit<SegmenterEntry, 'role' | 'input' | 'values' | 'boxes' | 'masks' | 'scores' | 'graphs'>;
  readonly input: SegmenterEntry['input'];
  readonly precision?: Precision;
}

/** Both graphs were run once, on a made-up picture with two boxes. */
export async function segmenterOf(parts: SegmenterParts, options: FetchOptions): Promise<SegmenterEntry> {
  const { listing, network, ports, base, input, precision } = parts;
  const files = promptFiles(listing, precision);
  const prompt = await readOnnx((await fetchFiles(files.map(sourceOf), options)).map(({ path }) => path));
  const { inputs, outputs } = inspectNetwork(prompt);
  const names = inputs.map(({ name }) => name);
  requireBoxes(listing, names);
  const values = names.filter((name) => name !== BOXES && !POINTS.includes(name));
  const other = values.find((name) => !ports.outputs.includes(name));
  if (other !== undefined) {
    throw refuse(listing, `its decoder takes ${names.join(', ')}, and nothing here makes ${other}`);
  }
  const missing = [MASKS, SCORES].find((name) => !outputs.includes(name));
  if (missing !== undefined) throw refuse(listing, `its decoder gives ${outputs.join(', ')}, and no ${missing}`);
  const entry: SegmenterEntry = {
    ...base,
    role: 'segmenter',
    input,
    values,
    boxes: BOXES,
    masks: MASKS,
    scores: SCORES,
    graphs: {
      prompt: {
        source: { files: files.map(sourceOf), converter: 'onnx' },
        takes: { kind: 'values', inputs: names },
        outputs: [MASKS, SCORES],
      },
    },
  };
  await trial(entry, network, prompt, listing);
  return entry;
}

function promptFiles(listing: Listing, precision: Precision | undefined): ListedFile[] {
  const graph = graphFile(listing, PROMPT_GRAPH, precision);
  return [graph, ...dataFilesOf(listing, graph)];
}

/** A decoder of points alone would make masks of something else, and nobody would notice. */
function requireBoxes(listing: Listing, names: readonly string[]): void {
  if (names.includes(BOXES)) return;
  const takes = `its decoder takes ${names.join(', ')} and no ${BOXES}`;
  if (!names.includes('input_points')) throw refuse(listing, `${takes}, so it cannot be asked about boxes`);
  throw refuse(
    listing,
    `${takes}, so it cannot be asked about boxes: points alone do not tell the corners of a box apart (transformers' own SAM has no ` +
      'labels 2 and 3 for them, which its export would need)',
  );
}

async function trial(entry: SegmenterEntry, network: Uint8Array, prompt: Uint8Array, listing: Listing): Promise<void> {
  const seen = await trialRun(composeModel(entry, network, SINGLE), entry.input);
  const { width, height } = entry.input;
  const corners = [0.2, 0.3, 0.7, 0.8, 0.4, 0.1, 0.9, 0.6].map((share, i) => share * (i % 2 === 0 ? width : height));
  const session = await Session.create(prompt);
  try {
    const boxes = float32(Float32Array.from(corners), [1, 2, 4]);
    const answers = await session.run(promptFeeds(entry, session, seen, boxes));
    const { dims } = answers[MASKS];
    if (dims.length !== 5 || dims[1] !== 2) throw refuse(listing, `it answers two boxes with ${MASKS} [${dims}]`);
  } finally {
    await session.close();
  }
}

function refuse({ name }: Listing, reason: string): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `${name} is not taken: ${reason}`, {
    hint: 'An export whose decoder has input_boxes is (onnx-community has them of SAM 2.1), and so is one by SAM’s own code (Acly/MobileSAM).',
  });
}
