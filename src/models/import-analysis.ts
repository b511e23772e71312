/**
 * What an ONNX file is: its role, what its input and output mean, and that it runs.
 *
 * What is declared counts; what is not declared is inferred from shapes and a trial run, and said in `inferred`. A model
 * whose meaning stays open, or which contradicts what was declared, is refused with the reason. Weights in other files
 * are taken from beside the model and nowhere else. Meant to run in a process of its own: see `import.ts`.
 */

import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { COCO_NAMES } from '../core/coco-classes.ts';
import { plural } from '../core/count-text.ts';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import type { SourceFile } from '../fetch/fetch.ts';
import { externalLocations } from '../onnx/external-data.ts';
import { decodeModel } from '../onnx/proto.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './backbones.ts';
import type { InputSpec, ModelEntry, Role } from './bundle.ts';
import { composeModel, SINGLE } from './compose-model.ts';
import { KNOWN, recognise } from './detectors/recognise.ts';
import { isRfDetr, RF_DETR_INPUT, RF_DETR_OUTPUTS, rfDetrClasses } from './detectors/rf-detr.ts';
import { YOLOX_PIXELS } from './detectors/yolox.ts';
import { inspectNetwork, type NetworkPorts } from './inspect.ts';
import { selfContained } from './onnx-files.ts';
import { trialOfNetwork, trialRun } from './trial.ts';

/** What whoever imports a model says of it. */
export interface Declared {
  /** Default: detector where the output is one that is known, else embedder, or classifier where class names are given. */
  readonly role?: Extract<Role, 'detector' | 'embedder' | 'classifier'>;
  /** SPDX identifier. Nobody can infer it: without it the model is listed as `unknown`. */
  readonly licence?: string;
  readonly description?: string;
  /** The input's size in pixels; must be given where the file leaves it open. */
  readonly width?: number;
  readonly height?: number;
  /** The rest of the input's meaning; defaults depend on the role: see `inferred`. */
  readonly input?: Partial<Pick<InputSpec, 'colours' | 'scale' | 'mean' | 'std' | 'pad' | 'fit' | 'kernel'>>;
  /** Class names by index (default: COCO's for 80 classes). */
  readonly classNames?: readonly string[];
  /** For an embedder: the value that is the embedding (default: what the last matrix product takes). */
  readonly output?: string;
  /** For a classifier (default: found in a trial run). */
  readonly outputKind?: 'logits' | 'probabilities';
}

export interface AnalysisTask {
  /** Absolute. */
  readonly path: string;
  readonly id: string;
  readonly declared: Declared;
}

export interface AnalysedModel {
  readonly entry: ModelEntry;
  /** What was not declared but inferred, a sentence each. */
  readonly inferred: readonly string[];
}

export async function analyse({ path, id, declared }: AnalysisTask): Promise<AnalysedModel> {
  const { files, contents } = await filesOf(path);
  const bytes = selfContained(contents);
  const inferred: string[] = [];
  const subject: Subject = {
    id,
    file: basename(path),
    bytes,
    ports: inspectNetwork(bytes),
    options: declared,
    inferred,
  };
  const entry: ModelEntry = await entryOf(subject, {
    id,
    licence: declared.licence ?? 'unknown',
    description: declared.description ?? `imported from ${basename(path)}`,
    source: { files, converter: 'onnx' },
  });
  if (!declared.licence) inferred.push('the licence was not given: it is listed as unknown');
  if (files.length > 1) inferred.push(`its weights are in ${files.length - 1} more files, which were taken in`);
  return { entry, inferred };
}

/** ONNX's own bound on a file, and so on a model with everything in it. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

interface ModelFiles {
  /** The model itself first, then its weights' files in the order in which it names them. */
  readonly files: readonly SourceFile[];
  readonly contents: readonly Uint8Array[];
}

async function filesOf(path: string): Promise<ModelFiles> {
  const paths = [path];
  const contents = [await readModelFile(path)];
  for (const location of externalLocations(decodeModel(contents[0]!))) {
    const beside = await besideModel(path, location);
    paths.push(beside);
    contents.push(await readModelFile(beside));
  }
  const total = contents.reduce((sum, { length }) => sum + length, 0);
  if (total > MAX_MODEL_BYTES) {
    throw new LabelsmithError('BAD_MODEL', `${basename(path)} has ${total} bytes with its weights; 2 GB are the most.`);
  }
  const files = paths.map((one, i) => ({ reference: `file:${one}`, sha256: sha256Hex(contents[i]!) }));
  return { files, contents };
}

/** The path of a file of weights; one that is a link to another folder is refused. */
async function besideModel(path: string, location: string): Promise<string> {
  const beside = join(dirname(path), location);
  const real = await realpath(beside).catch((cause: unknown) => {
    throw new LabelsmithError('BAD_MODEL', `${basename(path)} has weights in ${location}, which is not beside it`, {
      cause,
      hint: 'Put the file into the same folder, or save the model as one file.',
    });
  });
  const folders = [await realpath(dirname(path)), dirname(await realpath(path))];
  if (folders.includes(dirname(real))) return beside;
  throw new LabelsmithError('BAD_MODEL', `${basename(path)} has weights in ${location}, which is a link to elsewhere`, {
    hint: 'Copy the file itself into the folder of the model.',
  });
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    if (!(await stat(path)).isFile()) throw new LabelsmithError('BAD_FILE', `${path} is not a file`);
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    if (cause instanceof LabelsmithError) throw cause;
    if (systemCodeOf(cause) === 'ENOENT') throw new LabelsmithError('NOT_FOUND', `there is no file ${path}`, { cause });
    throw new LabelsmithError('BAD_FILE', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

interface Subject {
  readonly id: string;
  /** The file's name, for messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly ports: NetworkPorts;
  readonly options: Declared;
  readonly inferred: string[];
}

type Base = Pick<ModelEntry, 'id' | 'licence' | 'description' | 'source'>;

const EXPORT_ANEW =
  'Export it with one image of 3 channels as its input, or declare what it is: labelsmith models import --help has the options.';

async function entryOf(subject: Subject, base: Base): Promise<ModelEntry> {
  const geometry = inputPort(subject);
  const [name] = subject.ports.outputs;
  if (name === undefined) throw refuse(subject, 'it has no output');
  const plain: InputSpec = { ...geometry, fit: 'letterbox', pad: [0, 0, 0], kernel: 'linear', scale: 1 / 255 };
  const output: Output = { name, value: await tryRun(subject, plain, name) };
  const role = subject.options.role ?? inferRole(subject, output);
  if (role !== 'embedder' && subject.options.output !== undefined) {
    throw refuse(
      subject,
      `it is taken for a ${role}, and ${subject.options.output} is declared as the value of an embedder`,
      'Say --role embedder with --output, or leave --output away.',
    );
  }
  if (role === 'detector') return detectorEntry(subject, base, geometry, output);
  if (role === 'embedder') return embedderEntry(subject, base, geometry, output);
  if (role === 'classifier') return classifierEntry(subject, base, geometry, output);
  throw new LabelsmithError('UNSUPPORTED', `models of the role "${role satisfies never}" cannot be imported`);
}

/** The network's first output and what it was in a trial run. */
interface Output {
  readonly name: string;
  readonly value: Tensor;
}

function inferRole(subject: Subject, { value: { dims } }: Output): 'detector' | 'embedder' | 'classifier' {
  if (dims.length === 2 || dims.filter((size) => size !== 1).length === 1) {
    const role = subject.options.classNames ? 'classifier' : 'embedder';
    subject.inferred.push(
      `its output is one row an image, so it is taken for a${role === 'embedder' ? 'n' : ''} ${role}`,
    );
    return role;
  }
  subject.inferred.push('its output is not one row an image, so it is taken for a detector');
  return 'detector';
}

type Geometry = Pick<InputSpec, 'name' | 'width' | 'height' | 'layout' | 'dtype'>;

/** The one image that the network takes. */
function inputPort(subject: Subject): Geometry {
  const { ports, options, inferred } = subject;
  const [input, ...others] = ports.inputs;
  if (!input || others.length > 0) {
    const names = ports.inputs.map(({ name }) => name).join(', ');
    throw refuse(subject, `it takes ${ports.inputs.length} inputs (${names}), and an image is one`);
  }
  const { name, shape, dtype } = input;
  if (shape?.length !== 4)
    throw refuse(subject, `its input ${name} has shape [${shape ?? '?'}], and images have 4 sizes`);
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'uint8' && dtype !== 'int32') {
    throw refuse(subject, `its input ${name} is of type ${dtype}`);
  }
  if (typeof shape[0] === 'number' && shape[0] !== 1) {
    throw refuse(
      subject,
      `it takes exactly ${shape[0]} images at once`,
      'Export it for one image, or with the batch left open.',
    );
  }
  const layout = shape[1] === 3 ? 'NCHW' : shape[3] === 3 ? 'NHWC' : undefined;
  if (!layout) throw refuse(subject, `its input ${name} of shape [${shape}] has no 3 channels at place 2 or 4`);
  const [height, width] = layout === 'NCHW' ? [shape[2], shape[3]] : [shape[1], shape[2]];
  inferred.push(`input ${name}: ${layout}, ${dtype}`);
  const size = (inFile: number | string | undefined, declared: number | undefined, what: 'width' | 'height') => {
    if (typeof inFile !== 'number') {
      if (declared !== undefined) return declared;
      throw refuse(subject, `it leaves its input's ${what} open`, 'Declare the size with --input-size WIDTHxHEIGHT.');
    }
    if (declared !== undefined && declared !== inFile) {
      throw refuse(
        subject,
        `its input's ${what} is ${inFile}, not ${declared} as declared`,
        'Leave --input-size away: the file fixes it.',
      );
    }
    return inFile;
  };
  return {
    name,
    layout,
    dtype,
    width: size(width, options.width, 'width'),
    height: size(height, options.height, 'height'),
  };
}

async function detectorEntry(subject: Subject, base: Base, geometry: Geometry, output: Output): Promise<ModelEntry> {
  const { options, inferred, ports } = subject;
  if (isRfDetr(ports.outputs)) return rfDetrEntry(subject, base, geometry);
  if (ports.outputs.length > 1) {
    throw refuse(subject, `its ${ports.outputs.length} outputs (${ports.outputs.join(', ')}) fit no decoder`, KNOWN);
  }
  const known = recognise(output.name, output.value, geometry);
  if ('reason' in known) throw refuse(subject, known.reason, known.hint);
  const { decoder, classCount } = known;
  const classNames = options.classNames ?? (classCount === 80 ? COCO_NAMES : undefined);
  if (!classNames) {
    throw refuse(
      subject,
      `it knows ${plural(classCount, 'class', 'classes')} and their names were not given`,
      'Give them with --class-names.',
    );
  }
  if (classNames.length !== classCount) {
    throw refuse(
      subject,
      `it knows ${plural(classCount, 'class', 'classes')}, and ${plural(classNames.length, 'name was', 'names were')} given`,
      `Put ${plural(classCount, 'name')} into the file of --class-names, one a line, in the order of the model.`,
    );
  }
  if (!options.classNames) inferred.push('80 classes: COCO’s names');
  const { input: declared } = options;
  // Who names a kernel wants it in place of what YOLOX's own code does.
  const pillow = declared?.kernel === undefined ? { pillow: YOLOX_PIXELS } : {};
  const usual = { fit: 'letterbox', pad: [114, 114, 114], kernel: 'linear', colours: 'BGR' } as const;
  const input: InputSpec = { ...geometry, ...usual, ...pillow, ...declared };
  if (input.fit !== 'letterbox') throw refuse(subject, 'a detector sees the whole image: its fit must be letterbox');
  inferred.push(
    `output ${output.name} [${output.value.dims}]: YOLOX with strides ${decoder.strides.join(', ')} and boxes in ` +
      `${decoder.boxes}; unless declared otherwise its input is BGR from 0 to 255, the image at the top left, as OpenCV makes it ` +
      'smaller, the rest filled with 114',
  );
  const entry: ModelEntry = { ...base, role: 'detector', input, decoder, classNames };
  await checkComposed(subject, entry);
  return entry;
}

async function rfDetrEntry(subject: Subject, base: Base, geometry: Geometry): Promise<ModelEntry> {
  const { options, inferred, ports } = subject;
  const { dims } = await tryRun(subject, { ...geometry, ...RF_DETR_INPUT }, RF_DETR_OUTPUTS.logits);
  const count = dims.at(-1) ?? 0;
  const classes = rfDetrClasses(count, options.classNames);
  if (!classes) {
    const names = options.classNames
      ? `${plural(options.classNames.length, 'name was', 'names were')} given`
      : 'they are not COCO’s';
    throw refuse(
      subject,
      `it has ${count} numbers a box, and ${names}`,
      `Give ${plural(count - 1, 'name')} with --class-names: the last number is for nothing.`,
    );
  }
  if (!options.classNames) inferred.push(`${count} numbers a box: COCO’s official ones`);
  inferred.push(
    'outputs dets and labels: RF-DETR as its own package exports it; its input is RGB with ImageNet’s mean',
  );
  const others = ports.outputs.filter((name) => !Object.values<string>(RF_DETR_OUTPUTS).includes(name));
  if (others.length > 0) inferred.push(`${others.join(', ')} is not read`);
  const input: InputSpec = { ...geometry, ...RF_DETR_INPUT, ...options.input };
  const entry: ModelEntry = { ...base, role: 'detector', input, ...classes };
  await checkComposed(subject, entry);
  return entry;
}

async function embedderEntry(subject: Subject, base: Base, geometry: Geometry, first: Output): Promise<ModelEntry> {
  const { options, inferred, ports } = subject;
  const output = options.output ?? ports.features ?? first.name;
  if (!options.output) {
    inferred.push(
      ports.features ? `embedding: ${output}, what its last matrix product takes` : `embedding: output ${output}`,
    );
  }
  const input = imagenetInput(subject, geometry);
  const trial = await tryRun(subject, input, output);
  const dimensions = trial.data.length;
  if (trial.dims[0] !== 1 || dimensions < 2 || trial.dims.filter((size) => size !== 1).length !== 1) {
    throw refuse(subject, `its value ${output} has shape [${trial.dims}] for one image, and an embedding is one row`);
  }
  const entry: ModelEntry = { ...base, role: 'embedder', input, output, dimensions };
  await checkComposed(subject, entry);
  return entry;
}

async function classifierEntry(subject: Subject, base: Base, geometry: Geometry, output: Output): Promise<ModelEntry> {
  const { options, inferred } = subject;
  const input = imagenetInput(subject, geometry);
  const trial = await tryRun(subject, input, output.name);
  const classCount = trial.data.length;
  const { classNames } = options;
  if (classNames?.length !== classCount) {
    const given = classNames
      ? `${plural(classNames.length, 'name was', 'names were')} given`
      : 'their names were not given';
    throw refuse(
      subject,
      `it gives ${classCount} numbers an image, and ${given}`,
      'Give one name a class with --class-names.',
    );
  }
  let total = 0;
  let least = 0;
  for (const value of trial.data) {
    total += Number(value);
    least = Math.min(least, Number(value));
  }
  const outputKind = options.outputKind ?? (least >= 0 && Math.abs(total - 1) < 1e-2 ? 'probabilities' : 'logits');
  if (!options.outputKind) inferred.push(`its output is ${outputKind}`);
  const entry: ModelEntry = { ...base, role: 'classifier', input, output: output.name, outputKind, classNames };
  await checkComposed(subject, entry);
  return entry;
}

function imagenetInput({ options, inferred }: Subject, geometry: Geometry): InputSpec {
  inferred.push(
    'unless declared otherwise its input is the middle of the image, RGB from 0 to 1 with ImageNet’s mean and deviation',
  );
  const usual = { scale: 1 / 255, mean: IMAGENET_MEAN, std: IMAGENET_STD, colours: 'RGB' } as const;
  return { ...geometry, fit: 'cover', pad: [0, 0, 0], kernel: 'linear', ...usual, ...options.input };
}

/** One of the network's values in a trial run. */
async function tryRun(subject: Subject, input: InputSpec, output: string): Promise<Tensor> {
  return trying(subject, () => trialOfNetwork(subject.bytes, input, output));
}

/** The whole model must load and run, so that a model that was imported can be used. */
async function checkComposed(subject: Subject, entry: ModelEntry): Promise<void> {
  await trying(subject, () => trialRun(composeModel(entry, subject.bytes, SINGLE), entry.input));
}

async function trying<T>(subject: Subject, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const hint = cause instanceof LabelsmithError ? cause.hint : undefined;
    throw refuse(subject, messageOf(cause), hint, cause);
  }
}

function refuse({ file }: Subject, reason: string, hint = EXPORT_ANEW, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `${file} cannot be imported: ${reason}`, { hint, cause });
}
