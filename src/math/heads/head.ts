/** What turns an item's vector into a score a class, whichever kind it is. */

import type { InferencePool } from '../../onnx/pool.ts';
import type { Matrix } from '../matrix.ts';
import { type LinearHead, logitsOf } from './linear-head.ts';
import { type MlpHead, mlpLogits } from './mlp-head.ts';

export type Head = ({ readonly kind: 'linear' } & LinearHead) | ({ readonly kind: 'mlp' } & MlpHead);

/** Logits, shape [n, classes], in shared memory. */
export function headLogits(pool: InferencePool, head: Head, features: Matrix): Promise<Matrix> {
  switch (head.kind) {
    case 'linear':
      return logitsOf(pool, head, features);
    case 'mlp':
      return mlpLogits(pool, head, features);
    default:
      return head satisfies never;
  }
}
