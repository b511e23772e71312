/**
 * Detection that believes a class only as far as the whole pile speaks for it (`doubt.ts`): by the thresholds that the
 * candidates which are there suggest, and once more, without the model, where those of all candidates suggest others.
 *
 * The same candidates give the same rules, so a run that was ended at any point and run again comes to the same regions.
 */
import { type AcceptRules, acceptKeyOf } from '../../corpus/accept.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Detector } from '../../models/detector.ts';
import { type DetectOptions, type DetectResult, detectIn } from './detect.ts';
import { detectionKey } from './detect-stage.ts';
import { type ClassDoubt, type DoubtQuery, rulesInDoubt } from './doubt.ts';
import { doubtsIn, doubtsTogether } from './doubt-stage.ts';
import { scoreOddsOf } from './score-odds.ts';

/** That the rules are applied once more is worth a line where it takes time. */
const SAID_FROM_MS = 1000;

export interface DoubtRequest {
  /** A threshold that somebody gives decides alone. */
  readonly threshold?: number;
  /** Keeps regions that are likely wrong, since little or nothing of their class is in this pile. Default false. */
  readonly keepDoubtful?: boolean;
}

export interface InDoubt {
  readonly result: DetectResult;
  /** How sure each class is, in order of name; null of a model whose scores were not measured. */
  readonly doubts: readonly ClassDoubt[] | null;
}

export async function detectInDoubt(
  workspace: Workspace,
  detector: Detector,
  options: DetectOptions,
  request: DoubtRequest,
): Promise<InDoubt> {
  const { rules, task } = options;
  const query = doubtQuery(detector, options);
  if (query === undefined) return { result: await detectIn(workspace, detector, options), doubts: null };
  const inDoubt = (doubts: readonly ClassDoubt[]) => (raisesThresholds(request) ? rulesInDoubt(rules, doubts) : rules);
  const looked = () => doubtsTogether(workspace, query, options);
  const first = await looked();
  const before = inDoubt(first);
  const result = await detectIn(workspace, detector, { ...options, rules: before });
  const doubts = result.counts.detected > 0 ? await looked() : first;
  const after = inDoubt(doubts);
  if (result.interrupted || acceptKeyOf(before, task) === acceptKeyOf(after, task)) return { result, doubts };
  const onProgress: DetectOptions['onProgress'] = (now) => now.elapsedMs > SAID_FROM_MS && options.onProgress?.(now);
  const stored = { rules: after, force: false, storedOnly: true, limit: undefined, onProgress };
  const again = await detectIn(workspace, detector, { ...options, ...stored });
  return { result: { ...result, counts: afterBoth(result, again), interrupted: again.interrupted }, doubts };
}

/**
 * What both passes did, each image once. The second goes over all candidates, those too that another run stored meanwhile: such
 * images are its own then. What the other run had brought under the same rules by that time is the other's.
 */
export function afterBoth(
  { counts: first }: Pick<DetectResult, 'counts'>,
  { counts: again, interrupted }: Pick<DetectResult, 'counts' | 'interrupted'>,
): DetectResult['counts'] {
  if (interrupted) return first;
  const { images, regions, byOthers } = again;
  const unseen = Math.max(0, first.images + first.byOthers - images - byOthers);
  return { ...first, images, regions, byOthers: byOthers + unseen };
}

/** The rules by which images were accepted up to now, as far as it follows from the candidates there are. */
export async function rulesSoFar(
  { store }: Pick<Workspace, 'store'>,
  detector: Pick<Detector, 'id' | 'key' | 'classNames'>,
  options: Pick<DetectOptions, 'rules' | 'tiles'>,
  request: DoubtRequest,
): Promise<AcceptRules> {
  const query = doubtQuery(detector, options);
  if (query === undefined || !raisesThresholds(request)) return options.rules;
  return rulesInDoubt(options.rules, await doubtsIn(store, query));
}

export function raisesThresholds({ threshold, keepDoubtful = false }: DoubtRequest): boolean {
  return threshold === undefined && !keepDoubtful;
}

/** Undefined of a model whose scores were not measured, and of tiles, which nobody measured. */
function doubtQuery(
  detector: Pick<Detector, 'id' | 'key' | 'classNames'>,
  { rules, tiles }: Pick<DetectOptions, 'rules' | 'tiles'>,
): DoubtQuery | undefined {
  const odds = tiles ? undefined : scoreOddsOf(detector.id);
  const { classNames } = detector;
  return odds && { modelKey: detectionKey(detector, {}), classNames, mapping: rules.mapping, odds };
}
