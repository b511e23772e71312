/** In which order depths of fine-tuning are tried, and which of them again. */
import { type DepthRound, roundText, type StepName } from './steps.ts';

/**
 * Self-training: a depth that was kept is tried again, so many times in all at most, each time from the network as it was but
 * with what is believed of images without a label by the vectors of the round before (Yarowsky, ACL 1995; Xie et al., "Self-training
 * with Noisy Student", CVPR 2020).
 */
export const MAX_ROUNDS = 3;

/**
 * What is tried, one after the other: each depth, then what is best once more for as long as that is kept. With little time comes first
 * what has most for it: the upper part, which takes a fraction of the time of the whole network, then that, then the best again.
 */
export function attemptsOf(
  wanted: readonly StepName[],
  { isHurried, rounds }: { readonly isHurried: boolean; readonly rounds: number },
): { next(best: DepthRound | null): DepthRound | undefined } {
  const isLate = (step: StepName) => isHurried && step === 'bias';
  const early = wanted.filter((step) => !isLate(step));
  const late = wanted.filter(isLate);
  const begun = new Set<string>();
  const begin = (one: DepthRound) => {
    begun.add(roundText(one));
    return one;
  };
  const again = (best: DepthRound | null) => {
    if (best === null || best.round >= rounds) return undefined;
    const one = { step: best.step, round: best.round + 1 };
    return begun.has(roundText(one)) ? undefined : begin(one);
  };
  const first = (depths: StepName[]) => {
    const step = depths.shift();
    return step && begin({ step, round: 1 });
  };
  return { next: (best) => first(early) ?? again(best) ?? first(late) };
}
