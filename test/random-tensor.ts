/** Weights and pixels of the small networks that tests make. */
import { seededRandom } from '../src/core/random.ts';
import { float32, sizeOf, type Tensor } from '../src/onnx/tensor.ts';

/** Numbers from −scale to scale, the same for the same stream. */
export function randomTensor(dims: readonly number[], stream: string, scale = 1): Tensor {
  const next = seededRandom(0, stream);
  return float32(
    Array.from({ length: sizeOf(dims) }, () => scale * (2 * next() - 1)),
    dims,
  );
}
