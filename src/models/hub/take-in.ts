/**
 * Makes an entry of a model on the hub, or in a folder with the same files: what it is by its `config.json`, its pixels by its
 * `preprocessor_config.json`, its words by its tokenizer's files, its graphs by the names that exports give them.
 *
 * Guarantees: what is not understood is refused by its name and leaves no entry; the graph's inputs are those that are fed;
 * every file is pinned: by the digest that the hub states, else by what was fetched first, and by the commit. Nothing
 * of what is fetched is executed.
 */
import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import { type FetchOptions, fetchFiles, type SourceFile } from '../../fetch/fetch.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';
import { prepareRuntime } from '../../onnx/runtime.ts';
import type { DetectorEntry, EmbedderEntry, InputSpec, ModelEntry } from '../bundle.ts';
import { composeModel, SINGLE } from '../compose-model.ts';
import { inspectNetwork, type NetworkPorts } from '../inspect.ts';
import { readOnnx } from '../onnx-files.ts';
import { trialOfNetwork, trialRun } from '../trial.ts';
import { wordFeeds } from '../vocabulary.ts';
import { isImageNet, namedColumns } from './class-names.ts';
import { fileNamed, MODEL_CONFIG, type ModelConfig, readConfig, sourceOf } from './configs.ts';
import { FAMILIES, type Family, familyOf } from './families.ts';
import { dataFilesOf, graphFile, type Precision } from './graph-files.ts';
import { inputOfProcessor } from './processor.ts';
import { samExportIn, samExportOf } from './take-in-sam-export.ts';
import { PROMPT_GRAPH, segmenterOf } from './take-in-segmenter.ts';
import { textGraph } from './text-graph.ts';

export interface TakeInOptions extends FetchOptions {
  readonly id: string;
  readonly licence: string;
  readonly description?: string;
  readonly stated?: string;
  readonly precision?: Precision;
}

/** Fetches all that {@link entryOfListing} reads, which then needs no network. Reads one small file of it. */
export async function fetchListed(listing: Listing, options: TakeInOptions): Promise<void> {
  const graphs = await graphsOf(listing, options);
  const files = graphs.flatMap((graph) => [graph, ...dataFilesOf(listing, graph)]);
  const described = ['preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
  const more = described.flatMap((name) => fileNamed(listing, name) ?? []);
  await prepareRuntime(options);
  await fetchFiles([...files, ...more].map(sourceOf), options);
}

/** The graphs that {@link entryOfListing} looks at. */
export async function graphsOf(listing: Listing, options: TakeInOptions): Promise<ListedFile[]> {
  const exported = samExportIn(listing);
  if (exported) return [exported.encoder, exported.decoder];
  const { family } = await familyOfListing(listing, options);
  const names = [imageGraphOf(family), ...(family.role === 'segmenter' ? [PROMPT_GRAPH] : [])];
  return names.map((name) => graphFile(listing, name, options.precision));
}

/** The entry of what a listing holds; its graph was run once. Meant for a process of its own: see `bounded-take-in.ts`. */
export async function entryOfListing(listing: Listing, options: TakeInOptions): Promise<ModelEntry> {
  const exported = samExportIn(listing);
  if (exported) {
    await prepareRuntime(options);
    return samExportOf(listing, exported, describedBy(listing, options), options);
  }
  const { config, family } = await familyOfListing(listing, options);
  const graph = graphFile(listing, imageGraphOf(family), options.precision);
  const files = [graph, ...dataFilesOf(listing, graph)];
  const network = await fetchNetwork(files, options);
  const ports = inspectNetwork(network);
  const subject: Subject = { listing, config, network, ports, options, files };
  if (family.role === 'detector' && family.words) {
    return wordDetectorOf(subject, family, await inputOf(subject, family.takes));
  }
  const input = await inputOf(subject, family.role === 'detector' ? family.takes : undefined);
  if (family.role === 'segmenter') {
    const { precision } = options;
    const parts = { listing, network, ports, base: baseOf(subject), input, ...(precision ? { precision } : {}) };
    return segmenterOf(parts, options);
  }
  const entry =
    family.role === 'embedder' ? await embedderOf(subject, family, input) : await detectorOf(subject, family, input);
  await trialRun(composeModel(entry, network, SINGLE), entry.input);
  return entry;
}

async function familyOfListing(
  listing: Listing,
  options: TakeInOptions,
): Promise<{ readonly config: ModelConfig; readonly family: Family }> {
  const config = await readConfig(listing, 'config.json', MODEL_CONFIG, options);
  const family = familyOf(config.model_type);
  if (!family) {
    const known = FAMILIES.flatMap(({ modelTypes }) => modelTypes).sort();
    throw new LabelsmithError(
      'UNSUPPORTED',
      `${listing.name} is of the type ${config.model_type}, which is not known`,
      {
        hint: `Known are: ${known.join(', ')}. labelsmith models import FILE.onnx takes any image model with its input declared by you.`,
      },
    );
  }
  return { config, family };
}

/** The name of the file that takes images, without its suffix. */
function imageGraphOf(family: Family): string {
  if (family.role === 'segmenter') return 'vision_encoder';
  return family.role === 'embedder' && family.text !== undefined ? 'vision_model' : 'model';
}

interface Subject {
  readonly listing: Listing;
  readonly config: ModelConfig;
  readonly network: Uint8Array;
  readonly ports: NetworkPorts;
  readonly options: TakeInOptions;
  readonly files: readonly ListedFile[];
}

async function fetchNetwork(files: readonly ListedFile[], options: FetchOptions): Promise<Uint8Array> {
  await prepareRuntime(options);
  const fetched = await fetchFiles(files.map(sourceOf), options);
  return readOnnx(fetched.map(({ path }) => path));
}

/** The one image that the graph takes, as the processor makes it. @param besides what else of its inputs is fed */
async function inputOf(
  { listing, config, ports, options }: Subject,
  besides: readonly string[] = [],
): Promise<InputSpec> {
  const input = ports.inputs.find(({ name }) => name === 'pixel_values');
  const others = ports.inputs.filter(({ name }) => name !== 'pixel_values' && !besides.includes(name));
  if (!input || others.length > 0) {
    const names = ports.inputs.map(({ name }) => name).join(', ');
    const fed = besides.length > 0 ? `pixel_values, ${besides.join(', ')} are` : 'pixel_values alone is';
    throw refuse(listing, `its graph takes ${names}, and ${fed} what is fed here`);
  }
  const { dtype, shape = [] } = input;
  if (dtype !== 'float32' && dtype !== 'float16') throw refuse(listing, `its pixel_values are of type ${dtype}`);
  const stated = config.vision_config?.image_size ?? config.image_size;
  const size = typeof stated === 'number' ? stated : undefined;
  const timm = config.model_type === 'timm_wrapper' && !fileNamed(listing, 'preprocessor_config.json');
  const processor = z.record(z.string(), z.unknown());
  const file = timm ? 'config.json' : 'preprocessor_config.json';
  const processed = inputOfProcessor(options.id, await readConfig(listing, file, processor, options), size);
  const open = processed.pillow?.size.kind === 'open';
  const wrong = [shape[2], shape[3]].some(
    (side, i) => typeof side === 'number' && (open || side !== (i === 0 ? processed.height : processed.width)),
  );
  if (wrong) {
    throw refuse(
      listing,
      `its graph takes ${shape[3]} × ${shape[2]} pixels and its processor makes ${processed.width} × ${processed.height}`,
    );
  }
  return { name: input.name, layout: 'NCHW', dtype, ...processed };
}

type EmbedderFamily = Extract<Family, { role: 'embedder' }>;

async function embedderOf(subject: Subject, family: EmbedderFamily, input: InputSpec): Promise<EmbedderEntry> {
  const { listing, network, ports, options, config } = subject;
  const named = family.values.find(({ output }) => ports.outputs.includes(output));
  const inner = ports.outputs.includes('logits') ? ports.features : undefined;
  const value = named ?? (inner === undefined ? undefined : { output: inner });
  if (!value) {
    const wanted = family.values.map(({ output }) => output).join(' or ');
    throw refuse(listing, `its graph gives ${ports.outputs.join(', ')}, and not ${wanted}`);
  }
  const { dims } = await trialOfNetwork(network, input, value.output);
  const dimensions = value.tokens ? dims.at(-1) : dims.reduce((product, size) => product * size, 1);
  if (!dimensions || (value.tokens && dims.length !== 3)) throw refuse(listing, `${value.output} is [${dims}]`);
  const text = family.text && (await textGraph(listing, family.text, { config, ...options }));
  const votes = named === undefined && isImageNet(config.id2label);
  return {
    ...baseOf(subject),
    role: 'embedder',
    input,
    ...value,
    dimensions,
    ...(votes ? { votes: { output: 'logits', outputKind: 'logits', classes: 'imagenet-1000' } } : {}),
    ...(text ? { graphs: { text }, pairing: family.text?.pairing } : {}),
  };
}

type DetectorFamily = Extract<Family, { role: 'detector' }>;
type WordFamily = Extract<DetectorFamily, { words: object }>;

async function detectorOf(
  subject: Subject,
  { activation }: Exclude<DetectorFamily, WordFamily>,
  input: InputSpec,
): Promise<DetectorEntry> {
  const { listing, config, network } = subject;
  requireOutputs(subject, ['logits', 'pred_boxes']);
  const { dims } = await trialOfNetwork(network, input, 'logits');
  const count = (dims.at(-1) ?? 0) - (activation === 'softmax' ? 1 : 0);
  const found = namedColumns(config.id2label, count);
  if (!found) {
    throw refuse(listing, `id2label of its config.json does not name the ${count} classes of its logits [${dims}]`);
  }
  const { names: classNames, columns } = found;
  const values = { kind: 'detr', logits: 'logits', boxes: 'pred_boxes', activation } as const;
  const decoder = { ...values, ...(columns ? { columns } : {}) };
  return { ...baseOf(subject), role: 'detector', input, decoder, classNames };
}

/** A trial of it is what finds a thing by a word in a made-up picture. */
async function wordDetectorOf(subject: Subject, family: WordFamily, input: InputSpec): Promise<DetectorEntry> {
  const { listing, config, options, files, network } = subject;
  const { words, text } = family;
  const byVector = words.kind === 'vectors';
  requireOutputs(subject, ['logits', 'pred_boxes', ...(byVector ? [words.vectors] : [])]);
  const outputs = byVector ? [words.vectors] : ['logits'];
  const textOptions = { ...options, config, maxTokens: text.maxTokens, graphFiles: byVector ? files : [] };
  const graph = await textGraph(listing, { ...text, outputs }, textOptions);
  if (!graph) throw refuse(listing, 'it has no tokenizer.json and tokenizer_config.json');
  const values = { logits: 'logits', boxes: 'pred_boxes' };
  const entry: DetectorEntry = {
    ...baseOf(subject),
    role: 'detector',
    input,
    words,
    classNames: [],
    graphs: { text: graph },
    decoder: byVector ? { kind: 'detr', ...values, activation: 'sigmoid-best' } : { kind: 'phrases', ...values },
  };
  const { feeds } = await wordFeeds(entry, { classNames: ['thing', 'another'] }, options);
  await trialRun(composeModel(entry, network, SINGLE), entry.input, feeds);
  return entry;
}

function requireOutputs({ listing, ports }: Subject, wanted: readonly string[]): void {
  const missing = wanted.find((name) => !ports.outputs.includes(name));
  if (missing === undefined) return;
  throw refuse(listing, `its graph gives ${ports.outputs.join(', ')}, and no ${missing}`);
}

function baseOf({ options, files, listing }: Subject) {
  const source = { files: files.map(sourceOf) satisfies SourceFile[], converter: 'onnx' } as const;
  return { ...describedBy(listing, options), source };
}

function describedBy(listing: Listing, options: TakeInOptions) {
  const { id, licence, stated, description = `${listing.name} of the hub` } = options;
  return { id, licence, description, ...(stated ? { stated } : {}) };
}

function refuse({ name }: Listing, reason: string): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `${name} is not taken: ${reason}`, {
    hint: 'Another export of the model may be; the docs say which values are read. labelsmith models import takes ONNX files.',
  });
}
