/**
 * Weights that an ONNX model keeps in files beside it ("external data"), taken into the model itself.
 *
 * ONNX Runtime would read such files from wherever the model names them, relative to its own folder or to the folder
 * that the process happens to stand in. So no model with external data reaches it: an import takes the files in, from
 * the model's own folder and nowhere else, and anything else is refused.
 */
import { LabelsmithError } from '../errors.ts';
import { dtypeOf } from './element-types.ts';
import type { GraphProto, ModelProto, TensorProto } from './proto.ts';
import { bytesPerElement, sizeOf } from './tensor.ts';

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

/** What a tensor says of where its elements are. */
interface Place {
  readonly location: string;
  readonly offset: number;
  /** Bytes; undefined means to the end of the file. */
  readonly length: number | undefined;
}

/** Names of the files that a model's weights are in, in the order in which the model first names them. */
export function externalLocations(model: ModelProto): string[] {
  const found = new Set<string>();
  eachTensor(model.graph, (tensor) => {
    if (tensor.dataLocation === EXTERNAL) found.add(placeOf(tensor).location);
  });
  return [...found];
}

/** Refuses a model whose weights are not all in it. @param what it is called in the message */
export function refuseExternalData(model: ModelProto, what: string): void {
  const [location] = externalLocations(model);
  if (location === undefined) return;
  throw new LabelsmithError('BAD_MODEL', `${what} has weights in another file (${location}), which is not opened.`, {
    hint: 'labelsmith models import takes the file in from beside the model; elsewhere, save the model as one file.',
  });
}

/** Puts the weights of other files into the model. @param files by the names that the model gives them */
export function embedExternalData(model: ModelProto, files: ReadonlyMap<string, Uint8Array>): void {
  eachTensor(model.graph, (tensor) => {
    if (tensor.dataLocation !== EXTERNAL) return;
    const bytes = files.get(placeOf(tensor).location);
    if (!bytes) throw bad(tensor, `its file ${placeOf(tensor).location} is not given`);
    tensor.rawData = elementsOf(tensor, bytes);
    tensor.dataLocation = undefined;
    tensor.externalData = undefined;
  });
}

function elementsOf(tensor: TensorProto, file: Uint8Array): Uint8Array {
  const { location, offset, length } = placeOf(tensor);
  const dtype = dtypeOf(tensor.dataType, `tensor ${tensor.name}`);
  if (dtype === 'string') throw bad(tensor, 'text is never in another file');
  const expected = sizeOf((tensor.dims ?? []).map(Number)) * bytesPerElement(dtype);
  const end = offset + (length ?? expected);
  if (end - offset !== expected) throw bad(tensor, `its shape takes ${expected} bytes, and it names ${end - offset}`);
  if (end > file.length) throw bad(tensor, `it ends at byte ${end} of ${location}, which has ${file.length}`);
  return file.subarray(offset, end);
}

function placeOf(tensor: TensorProto): Place {
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  const offset = Number(entries.get('offset') || 0);
  const length = entries.get('length') ? Number(entries.get('length')) : undefined;
  // A name alone: no folder, so that nothing but what lies beside the model can be meant.
  if (!/^[^/\\:\0]+$/.test(location) || location === '.' || location === '..') {
    throw bad(tensor, `its file is named ${JSON.stringify(location)}, which is not a file beside the model`);
  }
  if (![offset, length ?? 0].every((one) => Number.isSafeInteger(one) && one >= 0)) {
    throw bad(tensor, `it begins at ${offset} and is ${length} bytes long`);
  }
  return { location, offset, length };
}

function bad(tensor: TensorProto, why: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `weights ${tensor.name ?? '(no name)'} are in another file: ${why}`, {
    hint: 'Put the file beside the model, or save the model as one file.',
  });
}

/** Every tensor that a graph holds: initializers, constants, and those of graphs inside it. */
function eachTensor(graph: GraphProto | undefined, visit: (tensor: TensorProto) => void): void {
  const open = graph ? [graph] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const tensor of next.initializer ?? []) visit(tensor);
    for (const { attribute } of next.node ?? []) {
      for (const { name, t, tensors, g, graphs, sparseTensor, sparseTensors } of attribute ?? []) {
        if (sparseTensor ?? sparseTensors) {
          throw new LabelsmithError(
            'BAD_MODEL',
            `a model holds sparse numbers (${name}), which nothing here looks into`,
          );
        }
        if (t) visit(t);
        for (const tensor of tensors ?? []) visit(tensor);
        open.push(...(g ? [g] : []), ...(graphs ?? []));
      }
    }
  }
}
