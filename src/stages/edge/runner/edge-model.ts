/** One model of a pack, running on ONNX Runtime's processor provider, and compared with its golden outputs before it is used. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pixelNumbers } from '../../../core/pillow.ts';
import { LabelsmithError } from '../../../errors.ts';
import type { OnnxRuntime, RuntimeSession } from '../../../onnx/runtime-types.ts';
import { HALF_TOLERANCE, largestDifference, type Outputs, TOLERANCE } from './difference.ts';
import type { PackedModel, Precision } from './pack-info.ts';

export interface EdgeModel {
  readonly model: PackedModel;
  readonly precision: Precision;
  /** Of the golden outputs here, from those of the pack. */
  readonly difference: number;
  /** @param pixels shape [height, width, 3], RGB, bytes or the floats of `pixelTypeOf` */
  run(pixels: Uint8Array): Promise<Outputs>;
  close(): Promise<void>;
}

export interface EdgeModelOptions {
  readonly folder: string;
  readonly precision: Precision;
  readonly threads: number;
}

/** Its telemetry is off before it loads: nothing leaves the device. */
export function edgeRuntime(folder: string): OnnxRuntime {
  for (const name of ['ORT_DISABLE_TELEMETRY', 'ORT_TELEMETRY_DISABLED']) process.env[name] = '1';
  const runtime: OnnxRuntime = createRequire(join(folder, 'package.json'))('onnxruntime-node');
  runtime.env.logLevel = 'fatal';
  return runtime;
}

export async function openEdgeModel(
  runtime: OnnxRuntime,
  model: PackedModel,
  options: EdgeModelOptions,
): Promise<EdgeModel> {
  const { folder, precision, threads } = options;
  const file = model.files[precision];
  if (file === undefined) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `${model.key} has no half precision: ${model.noFloat16 ?? 'it was not made'}`,
      {
        hint: 'Leave --precision out.',
      },
    );
  }
  const session = await runtime.InferenceSession.create(join(folder, file), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    extra: { session: { set_denormal_as_zero: '1' } },
  });
  const run = (data: Float32Array) => runOnce(runtime, session, model, data);
  const { pixels, outputs } = model.golden;
  const found = await run(await readFloats(join(folder, pixels)));
  const golden = await Promise.all(
    outputs.map(async ({ name, file: path }) => [name, await readFloats(join(folder, path))] as const),
  );
  const difference = largestDifference(found, Object.fromEntries(golden));
  const most = precision === 'float32' ? TOLERANCE : HALF_TOLERANCE;
  if (!(difference <= most)) {
    await session.release();
    throw new LabelsmithError(
      'BAD_MODEL',
      `${model.key} does not give its golden outputs here: they differ by ${difference}`,
      {
        hint: 'The pack is damaged, or this machine computes wrongly. Unpack the archive again.',
      },
    );
  }
  return {
    model,
    precision,
    difference,
    run: (bytes) => run(pixelNumbers(bytes, model.input.pillow)),
    close: () => session.release(),
  };
}

async function runOnce(
  { Tensor }: OnnxRuntime,
  session: RuntimeSession,
  { input: { width, height } }: PackedModel,
  data: Float32Array,
): Promise<Outputs> {
  const results = await session.run(
    { pixels: new Tensor('float32', data, [1, height, width, 3]) },
    session.outputNames,
  );
  const entries = Object.entries(results).map(([name, { data: values }]) => {
    if (values instanceof Float32Array) return [name, values] as const;
    throw new LabelsmithError('BAD_MODEL', `the output ${name} is not of 32-bit floats`);
  });
  return Object.fromEntries(entries);
}

/** The file as floats, in memory of their own. */
export async function readFloats(path: string): Promise<Float32Array> {
  const bytes = Uint8Array.from(await readFile(path));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}
