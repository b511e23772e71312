/** Learning rates over a training: which share of the peak a step has. */

/**
 * `one-cycle`: up to the peak in the first part and down to nearly nothing, both along half a cosine (Smith and Topin,
 * "Super-Convergence", 2018, in PyTorch's form); `cosine`: a short straight way up, then half a cosine down to nothing
 * (Loshchilov and Hutter, "SGDR", ICLR 2017); `constant`.
 */
export type Schedule = 'one-cycle' | 'cosine' | 'constant';

/** PyTorch's defaults: the part of the steps that rises, the first rate, and the last one of the first. */
const RISE = 0.3;
const FIRST = 1 / 25;
const LAST = FIRST / 1e4;
/** Of `cosine`. */
const WARM_UP = 0.05;

/** The share of the peak rate at a step, counted from 0, of `steps`. */
export function rateAt(schedule: Schedule, step: number, steps: number): number {
  const last = Math.max(1, steps - 1);
  switch (schedule) {
    case 'one-cycle': {
      const top = Math.max(1e-9, RISE * steps - 1);
      return step <= top ? along(FIRST, 1, step / top) : along(1, LAST, (step - top) / (last - top));
    }
    case 'cosine': {
      const rise = Math.max(1, Math.round(WARM_UP * steps));
      return step < rise ? (step + 1) / rise : along(1, 0, (step - rise) / Math.max(1, steps - rise));
    }
    case 'constant':
      return 1;
    default:
      return schedule satisfies never;
  }
}

/** Half a cosine from one value to another. */
function along(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, part)))) / 2;
}
