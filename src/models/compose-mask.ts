/** What networks for several images of many sizes take beside them: which pixels are of an image. Here all of them are. */
import type { Graph } from '../onnx/ops.ts';
import type { Value } from '../onnx/value.ts';
import type { Port } from './inspect.ts';

export const PIXEL_MASK = 'pixel_mask';

/**
 * Ones in the shape that the network states for its mask (DETR's exports have 64 × 64, which the network stretches), or of the
 * image's own sides. Nothing, where it takes none.
 *
 * @param pixels the network's own input of the image, [1, 3, height, width]
 */
export function wholeImageMask(graph: Graph, inputs: readonly Port[], pixels: Value): Record<string, Value> {
  const port = inputs.find(({ name }) => name === PIXEL_MASK);
  if (port === undefined) return {};
  const [, height, width] = port.shape ?? [];
  const shape = graph.op('Shape', [pixels]);
  const size =
    typeof height === 'number' && typeof width === 'number'
      ? graph.ints([1, height, width])
      : graph.concat([graph.slice(shape, [0], [1], [0]), graph.slice(shape, [2], [4], [0])], 0);
  return { [PIXEL_MASK]: graph.expand(graph.cast(graph.scalar(1, 'int64'), port.dtype), size) };
}
