/**
 * Which of the classes that a detector found are really in a pile. A detector always finds something: on photographs that
 * hold nothing it knows, scores just over the threshold are noise, and many of them make a class that is not there.
 *
 * The scores of all candidates say how much of them is right: where things are there, some score high; where not, scores
 * fall off fast. How often right candidates and wrong ones have a score was measured on COCO photographs once a model
 * (`score-odds.ts`); from that and the pile's own scores follows the share that is right, of the pile and then of each class,
 * drawn towards the pile's where a class has few candidates. A class needs the score at which a candidate is right with a
 * chance of a tenth; thresholds are only ever raised.
 *
 * Resident: a histogram of 190 bins a class.
 */
import type { Detections } from '../../core/boxes.ts';
import { type AcceptRules, DEFAULT_THRESHOLD } from '../../corpus/accept.ts';
import { chanceRight, shareRight } from '../../math/prior-shift.ts';
import type { ScoreOdds } from './score-odds.ts';

export interface ClassDoubt {
  /** As the corpus calls it. */
  readonly name: string;
  /** Share of the class's candidates that is right, 0 to 1. */
  readonly share: number;
  /** Score that its regions need. */
  readonly threshold: number;
  /** Candidates that have it. */
  readonly regions: number;
  /** Candidates over the usual threshold that do not. */
  readonly doubtful: number;
  /** The chance that at least one of its candidates over the usual threshold is right, 0 to 1. */
  readonly chance: number;
}

export interface DoubtSettings {
  /** How many candidates the share of COCO photographs counts as, beside those of the pile. */
  readonly pileStrength: number;
  /** How many candidates the pile's share counts as, beside those of a class. */
  readonly classStrength: number;
  /** Chance of being right that a region needs. */
  readonly leastChance: number;
}

/** Chosen by leaving sets out (`npm run bench -- doubt`). */
const SETTINGS: DoubtSettings = { pileStrength: 50, classStrength: 400, leastChance: 0.1 };

/** Scores of candidates begin here. */
const MIN_SCORE = 0.05;
const BIN = 0.005;
const BINS = Math.round((1 - MIN_SCORE) / BIN);
/** Thresholds are whole steps, so that some more images do not move them. */
const THRESHOLD_STEP = 0.05;

/** Candidates of each class by score: sums of whole numbers, so that it does not matter who counted which. */
export class ScoreHistograms<Class = string> {
  readonly #counts = new Map<Class, Uint32Array>();

  /** @param nameOf what a class of the model is called here, by its number */
  add({ count, scores, classes }: Detections, nameOf: (index: number) => Class): void {
    for (let i = 0; i < count; i++) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((scores[i] - MIN_SCORE) / BIN + 1e-6)));
      this.#of(nameOf(classes[i]))[bin]++;
    }
  }

  /** @param counts of one class, [190] */
  addCounts(name: Class, counts: Uint32Array): void {
    const own = this.#of(name);
    for (let bin = 0; bin < BINS; bin++) own[bin] = own[bin] + counts[bin];
  }

  /** In order of name. */
  classes(): [name: Class, counts: Uint32Array][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #of(name: Class): Uint32Array {
    const there = this.#counts.get(name) ?? new Uint32Array(BINS);
    this.#counts.set(name, there);
    return there;
  }
}

/** Every class that has a candidate over the usual threshold, in order of name. */
export function classDoubts(
  histograms: ScoreHistograms,
  odds: ScoreOdds,
  { pileStrength, classStrength, leastChance }: DoubtSettings = SETTINGS,
): ClassDoubt[] {
  const logRatios = Float64Array.from({ length: BINS }, (_, bin) => logRatioOf(MIN_SCORE + (bin + 0.5) * BIN, odds));
  const all = new Float64Array(BINS);
  const classes = histograms.classes();
  for (const [, counts] of classes) for (let bin = 0; bin < BINS; bin++) all[bin] += counts[bin];
  const pile = shareRight({ logRatios, counts: all, prior: odds.share, strength: pileStrength });
  return classes.flatMap(([name, counts]) => {
    const share = shareRight({ logRatios, counts, prior: pile, strength: classStrength });
    let threshold = DEFAULT_THRESHOLD;
    const chanceAt = (score: number) => chanceRight(logRatioOf(score, odds), share);
    while (threshold < 1 && chanceAt(threshold) < leastChance) threshold = stepUp(threshold);
    const over = (score: number) => {
      let sum = 0;
      for (let bin = firstBin(score); bin < BINS; bin++) sum += counts[bin];
      return sum;
    };
    const usual = over(DEFAULT_THRESHOLD);
    if (usual === 0) return [];
    let noneRight = 1;
    for (let bin = firstBin(DEFAULT_THRESHOLD); bin < BINS; bin++) {
      noneRight *= (1 - chanceRight(logRatios[bin], share)) ** counts[bin];
    }
    const regions = over(threshold);
    return [{ name, share, threshold, regions, doubtful: usual - regions, chance: 1 - noneRight }];
  });
}

const stepUp = (threshold: number) => Number((threshold + THRESHOLD_STEP).toFixed(2));
const firstBin = (score: number) => Math.round((score - MIN_SCORE) / BIN);

/** How much more often right candidates have a score than wrong ones: odds at that score over the odds of all. */
function logRatioOf(score: number, { intercept, slope, share }: ScoreOdds): number {
  return intercept + slope * logit(score) - logit(share);
}

const logit = (p: number) => Math.log(p / (1 - p));

export interface DoubtQuery {
  readonly modelKey: string;
  /** The model's own names. */
  readonly classNames: readonly string[];
  readonly mapping: AcceptRules['mapping'];
  readonly odds: ScoreOdds;
}

/** The rules with raised thresholds; those that somebody gave for a class stay. */
export function rulesInDoubt(rules: AcceptRules, doubts: readonly ClassDoubt[]): AcceptRules {
  const raised = doubts.filter(({ threshold }) => threshold > rules.threshold);
  if (raised.length === 0) return rules;
  const thresholds = Object.fromEntries(raised.map(({ name, threshold }) => [name, threshold]));
  return { ...rules, classThresholds: { ...thresholds, ...rules.classThresholds } };
}

/** How sure it is that a class is in the pile, in a word; null where nothing says so. */
export function certaintyOf(doubt: Pick<ClassDoubt, 'chance'> | undefined): Certainty | null {
  if (doubt === undefined) return null;
  if (doubt.chance < PERHAPS) return 'doubtful';
  return doubt.chance >= SURELY ? 'surely' : 'perhaps';
}

export type Certainty = 'surely' | 'perhaps' | 'doubtful';
const SURELY = 0.95;
const PERHAPS = 0.5;
