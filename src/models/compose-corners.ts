/**
 * The graph that asks SAM's own export about boxes, one at a time: a box is two points with the labels that SAM's prompt encoder has
 * for its corners (Kirillov et al. 2023, arXiv 2304.02643; `segment_anything/utils/onnx.py`). No mask goes in, and masks come out
 * as small as the network makes them.
 */
import { LabelsmithError } from '../errors.ts';
import { inlineModel } from '../onnx/compose.ts';
import { Graph } from '../onnx/ops.ts';
import { float32 } from '../onnx/tensor.ts';
import { inspectNetwork } from './inspect.ts';

/** Names of SAM's own export. */
export const CORNERS = {
  image: 'image_embeddings',
  points: 'point_coords',
  labels: 'point_labels',
  mask: 'mask_input',
  hasMask: 'has_mask_input',
  masks: 'low_res_masks',
  scores: 'iou_predictions',
} as const;

/** SAM's labels of points: 0 and 1 are outside and inside. */
export const CORNER_LABELS: readonly [topLeft: number, bottomRight: number] = [2, 3];

/** Inputs `image_embeddings`, `point_coords` [1, 2, 2] and `point_labels` [1, 2]; outputs as the network names them. */
export function composeCorners(id: string, network: Uint8Array): Uint8Array {
  const { inputs } = inspectNetwork(network);
  const shapeOf = (name: string) => {
    const port = inputs.find((input) => input.name === name);
    if (port?.dtype === 'float32' && port.shape) return port.shape;
    const what = port ? `is ${port.dtype} [${port.shape ?? '?'}]` : 'is not there';
    throw new LabelsmithError('BAD_MODEL', `${id}: its decoder's input ${name} ${what}`);
  };
  const graph = new Graph(`${id}:corners`);
  const sides = shapeOf(CORNERS.mask).map((side) => (typeof side === 'number' ? side : 1));
  const empty = float32(new Float32Array(sides.reduce((a, b) => a * b, 1)), sides);
  const feeds = {
    [CORNERS.image]: graph.input(CORNERS.image, 'float32', [...shapeOf(CORNERS.image)]),
    [CORNERS.points]: graph.input(CORNERS.points, 'float32', [1, 2, 2]),
    [CORNERS.labels]: graph.input(CORNERS.labels, 'float32', [1, 2]),
    [CORNERS.mask]: graph.constant(empty, 'noMask'),
    [CORNERS.hasMask]: graph.constant(float32([0], [1]), 'hasMask'),
  };
  const wanted = [CORNERS.masks, CORNERS.scores];
  const made = inlineModel(graph, network, { prefix: 'network', feeds, outputs: wanted });
  for (const name of wanted) graph.output(made[name], name);
  return graph.toModel();
}
