/** One model of a pack: its files in single and half precision, and what they give for one golden picture. */
import { pixelNumbers } from '../../core/pillow.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { PixelsInput } from '../../images/pixels-for.ts';
import { decodeModel, encodeModel, type ModelProto } from '../../onnx/proto.ts';
import { Session } from '../../onnx/session.ts';
import { float32Data, sizeOf } from '../../onnx/tensor.ts';
import { withFloatPorts } from './float-ports.ts';
import { halfModel } from './half-model.ts';
import type { PackFile } from './pack-archive.ts';
import { HALF_TOLERANCE, largestDifference, type Outputs } from './runner/difference.ts';
import type { GoldenOutput, PackedModel } from './runner/pack-info.ts';

export interface ModelToPack {
  /** Begins the names of its files. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly input: PixelsInput;
  /** Shape [height, width, 3], RGB. */
  readonly goldenPixels: Uint8Array;
}

export interface PackedFiles {
  readonly parts: Pick<PackedModel, 'files' | 'golden' | 'noFloat16' | 'float16Difference'>;
  readonly files: readonly PackFile[];
}

interface Ran {
  readonly name: string;
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

export async function packModel({ name, bytes, input, goldenPixels }: ModelToPack): Promise<PackedFiles> {
  const single = withFloatPorts(decodeModel(bytes));
  const pixels = pixelNumbers(goldenPixels, input.pillow);
  const run = (model: ModelProto) => runModel(encodeModel(model), pixels, input);
  const outputs = await run(single);
  const golden: GoldenOutput[] = outputs.map((one) => ({
    name: one.name,
    file: `golden/${name}.${one.name}.bin`,
    shape: one.shape,
  }));
  const pixelsFile = `golden/${name}.pixels.bin`;
  const files: PackFile[] = [
    { path: `${name}.onnx`, bytes: encodeModel(single) },
    { path: pixelsFile, bytes: bytesOf(pixels) },
    ...outputs.map((one, i) => ({ path: golden[i]?.file ?? '', bytes: bytesOf(one.values) })),
  ];
  const half = await halfOf(single, outputs, run);
  if ('because' in half) {
    const parts = {
      files: { float32: `${name}.onnx` },
      golden: { pixels: pixelsFile, outputs: golden },
      noFloat16: half.because,
    };
    return { parts, files };
  }
  const halfFile = `${name}-float16.onnx`;
  return {
    parts: {
      files: { float32: `${name}.onnx`, float16: halfFile },
      golden: { pixels: pixelsFile, outputs: golden },
      float16Difference: half.difference,
    },
    files: [...files, { path: halfFile, bytes: encodeModel(half.model) }],
  };
}

async function halfOf(
  single: ModelProto,
  outputs: readonly Ran[],
  run: (model: ModelProto) => Promise<readonly Ran[]>,
): Promise<{ readonly because: string } | { readonly model: ModelProto; readonly difference: number }> {
  const half = halfModel(single);
  if (half.kind === 'not') return half;
  try {
    const difference = largestDifference(byName(await run(half.model)), byName(outputs));
    if (difference <= HALF_TOLERANCE) return { model: half.model, difference };
    return { because: `its outputs would differ by ${difference.toPrecision(2)}, more than ${HALF_TOLERANCE}` };
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    return { because: messageOf(error) };
  }
}

async function runModel(model: Uint8Array, pixels: Float32Array, { width, height }: PixelsInput): Promise<Ran[]> {
  const session = await Session.create(model);
  try {
    const dims = [1, height, width, 3];
    if (sizeOf(dims) !== pixels.length) throw new Error(`${pixels.length} numbers are no picture of [${dims}]`);
    const results = await session.run({ pixels: { dtype: 'float32', data: pixels, dims } });
    return Object.entries(results).map(([name, tensor]) => {
      return { name, values: float32Data(tensor, name), shape: tensor.dims };
    });
  } finally {
    await session.close();
  }
}

function byName(outputs: readonly Ran[]): Outputs {
  return Object.fromEntries(outputs.map(({ name, values }) => [name, values]));
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
