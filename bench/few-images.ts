/**
 * How sure `discover` may be of a few images: small piles of one class, of a few, all different within one set, and all different
 * from several sets, a fourth of the piles each. Prints what the regressions say, what is true, and how much less is to be claimed
 * for each e-fold that the items fall short (`cluster-confidence.ts`); each set is scored with what the piles without it say.
 * With the default embedder; its learnt directions are not turned down, since they come from these sets.
 */
import { seededRandom } from '../src/core/random.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { chanceOf, logistic, shortageOf, WEIGHTS } from '../src/stages/discover/cluster-confidence.ts';
import { suggestedK } from '../src/stages/discover/levels.ts';
import { centreAndNormalise, meanOf } from '../src/stages/embed/recipe.ts';
import { DEFAULT_BACKBONE, openBackbone } from './piles/backbones.ts';
import { FEW_KINDS, type FewKind, fewImages } from './piles/few-images.ts';
import { calibrationError } from './piles/score.ts';
import { casesOf, study } from './piles/study.ts';
import { type EmbeddedSet, embeddedSet, setsHere } from './piles/vectors.ts';
import { vectorsOf } from './piles.ts';
import { rounded } from './process.ts';

const SEED = 7;
const PILES = 400;
/** Larger piles fall short of little or nothing, and are not scored. */
const MOST_COUNTED = 24;
const STEP = 0.01;
const MOST = 3;

/** An item, or a cluster. */
interface Told {
  readonly kind: FewKind;
  readonly sets: readonly string[];
  readonly items: number;
  /** What the regression says. */
  readonly logit: number;
  readonly right: boolean;
  /** A pile counts for 1. */
  readonly weight: number;
}

export async function run(): Promise<unknown> {
  const told = await tellAll();
  return { piles: PILES, items: scored(told.items), clusters: scored(told.clusters) };
}

async function tellAll(): Promise<{ items: Told[]; clusters: Told[] }> {
  const embedder = await openBackbone(DEFAULT_BACKBONE, 1);
  const sets = new Map<string, EmbeddedSet>();
  for (const name of setsHere()) {
    sets.set(name, await embeddedSet(name, async () => embedder, embedder.key, { withCopies: false }));
  }
  const { blocks } = embedder;
  await embedder.close();
  const pool = await InferencePool.create({ threads: 1 });
  const [items, clusters]: [Told[], Told[]] = [[], []];
  try {
    for (let i = 0; i < PILES; i++) {
      const kind = FEW_KINDS[i % FEW_KINDS.length] as FewKind;
      const pile = fewImages([...sets.values()], kind, seededRandom(SEED, `few:${i}`));
      const vectors = vectorsOf(pile, sets);
      const fromMean = centreAndNormalise(vectors, { blocks }, meanOf(vectors));
      const studied = await study(pool, pile, { vectors, fromMean, nuisance: undefined });
      if (!studied.problem) continue;
      const cases = casesOf(studied, suggestedK(studied.sample));
      const all = { kind, sets: pile.sets, items: studied.sample.leafOf.length };
      for (const [into, own, weights] of [
        [items, cases.items, WEIGHTS.item],
        [clusters, cases.clusters, WEIGHTS.cluster],
      ] as const) {
        for (const { features, positive } of own) {
          const chance = logistic(weights, features);
          into.push({ ...all, logit: Math.log(chance / (1 - chance)), right: positive, weight: 1 / own.length });
        }
      }
    }
    return { items, clusters };
  } finally {
    await pool.close();
  }
}

function scored(all: readonly Told[]) {
  const counted = all.filter(({ items }) => items <= MOST_COUNTED);
  const known = new Map<string, number>();
  const leftOut = counted.map((one) => {
    const key = one.sets.join();
    const rest = () => all.filter(({ sets }) => !sets.some((set) => one.sets.includes(set)));
    const slope = known.get(key) ?? bestSlope(rest());
    known.set(key, slope);
    return chanceOf(one.logit + slope * shortageOf(one.items));
  });
  const before = counted.map(({ logit }) => chanceOf(logit));
  const right = counted.map((one) => one.right);
  const mean = (of: readonly number[]) => rounded(of.reduce((sum, one) => sum + one, 0) / of.length);
  const ofKind = (kind: FewKind) => {
    const own = <T>(values: readonly T[]) => values.filter((_, i) => counted[i]?.kind === kind);
    return { before: mean(own(before)), leftOut: mean(own(leftOut)), right: mean(own(right).map(Number)) };
  };
  return {
    weight: rounded(bestSlope(all)),
    calibrationError: {
      before: rounded(calibrationError(before, right)),
      leftOut: rounded(calibrationError(leftOut, right)),
    },
    kinds: Object.fromEntries(FEW_KINDS.map((kind) => [kind, ofKind(kind)])),
  };
}

/** The one under which what is true is likeliest. */
function bestSlope(told: readonly Told[]): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let slope = 0; slope >= -MOST; slope -= STEP) {
    const loss = told.reduce((sum, { logit, items, right, weight }) => {
      const own = (right ? 1 : -1) * (logit + slope * shortageOf(items));
      return sum + weight * Math.log1p(Math.exp(-own));
    }, 0);
    if (loss < least) [best, least] = [slope, loss];
  }
  return best;
}
