/** Which files of a repository are a graph: by its name, and by the suffix of the precision that is asked for. */
import { LabelsmithError } from '../../errors.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';

/** As the hub's exports name them; `fp32` is the file with no suffix. */
export const PRECISIONS = ['fp32', 'fp16', 'int8', 'uint8', 'quantized', 'q4', 'q4f16', 'bnb4'] as const;
export type Precision = (typeof PRECISIONS)[number];

export function graphFile({ name, files }: Listing, graph: string, precision: Precision = 'fp32'): ListedFile {
  const file = `${graph}${precision === 'fp32' ? '' : `_${precision}`}.onnx`;
  const found = ['onnx/', ''].flatMap((folder) => files.find(({ path }) => path === folder + file) ?? []);
  if (found[0]) return found[0];
  const there = files.flatMap(({ path }) => (path.endsWith('.onnx') ? [path] : []));
  throw new LabelsmithError('NOT_FOUND', `${name} has no ${file}`, {
    hint: `Its graphs are: ${there.join(', ') || 'none'}. --precision picks one of ${PRECISIONS.join(', ')}.`,
  });
}

/** The parts that a model may be exported in; where it is, what was exported as one is not used. */
const PARTS = ['vision_model', 'text_model', 'vision_encoder', 'prompt_encoder_mask_decoder'];

/** The precision if every graph that may be used is there in it; undefined where one is not. */
export function preferredIn({ files }: Listing, precision: Precision | undefined): Precision | undefined {
  const stems = files.flatMap(({ path }) => /^(?:onnx\/)?(\w+)\.onnx$/.exec(path)?.[1] ?? []);
  const parts = stems.filter((stem) => PARTS.includes(stem));
  const needed = parts.length > 0 ? parts : stems.filter((stem) => stem === 'model');
  const isThere = needed.length > 0 && needed.every((stem) => stems.includes(`${stem}_${precision}`));
  return isThere ? precision : undefined;
}

/** Of a graph's file by its name; `fp32` where it has none of the suffixes. */
export function precisionOf(path: string): Precision {
  return PRECISIONS.find((one) => path.endsWith(`_${one}.onnx`)) ?? 'fp32';
}

/** Files of weights beside a graph: `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`. */
export function dataFilesOf({ files }: Listing, { path }: ListedFile): ListedFile[] {
  return files
    .filter((one) => one.path.startsWith(`${path}_data`) || one.path.startsWith(`${path}.data`))
    .sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
}
