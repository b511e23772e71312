/** Runs a model once on a made-up picture, to learn what its output looks like and that it runs at all. */
import { pixelTypeOf } from '../core/pillow.ts';
import { LabelsmithError } from '../errors.ts';
import { inlineModel, pixelsToModelInput } from '../onnx/compose.ts';
import { Graph } from '../onnx/ops.ts';
import { Session, type Tensors } from '../onnx/session.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { InputSpec } from './bundle.ts';
import { wholeImageMask } from './compose-mask.ts';
import { inspectNetwork } from './inspect.ts';

/** Runs a bare network and hands back its value `output`, which must be finite. */
export async function trialOfNetwork(network: Uint8Array, input: InputSpec, output: string): Promise<Tensor> {
  const graph = new Graph('trial');
  const pixels = graph.input('pixels', pixelTypeOf(input.pillow), [1, input.height, input.width, 3]);
  const image = pixelsToModelInput(graph, pixels, input);
  const feeds = { [input.name]: image, ...wholeImageMask(graph, inspectNetwork(network).inputs, image) };
  const values = inlineModel(graph, network, { prefix: 'network', feeds, outputs: [output] });
  graph.output(graph.cast(values[output], 'float32'), 'value');
  const { value } = await trialRun(graph.toModel(), input);
  for (const number of value.data) {
    if (!Number.isFinite(Number(number))) {
      throw new LabelsmithError('BAD_MODEL', `a trial run gave ${number} for ${output}`);
    }
  }
  return value;
}

/** Runs a model with the input `pixels` on slanting stripes of all brightnesses. @param feeds what it takes besides */
export async function trialRun(
  model: Uint8Array,
  { width, height, pillow }: Pick<InputSpec, 'width' | 'height' | 'pillow'>,
  feeds: Tensors = {},
): Promise<Record<string, Tensor>> {
  const stripes = (i: number) => (7 * i + 13 * Math.floor(i / (3 * width))) % 256;
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => stripes(i));
  const session = await Session.create(model);
  try {
    const dims = [1, height, width, 3];
    const pixels: Tensor =
      pixelTypeOf(pillow) === 'uint8'
        ? { dtype: 'uint8', data, dims }
        : { dtype: 'float32', data: Float32Array.from(data), dims };
    return await session.run({ ...feeds, pixels });
  } finally {
    await session.close();
  }
}
