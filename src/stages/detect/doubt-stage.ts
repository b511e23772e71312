/**
 * How all candidates of a detector are distributed by score, by many machines: each part is the histograms of the images whose
 * ids begin with some bytes. Ids are hashes, so parts are alike; counts are whole numbers, so their sums are those of one machine.
 */
import { z } from 'zod';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { IdRange, Store } from '../../store/store.ts';
import { SPREAD_FROM } from '../vector-shard.ts';
import { type ClassDoubt, classDoubts, type DoubtQuery, ScoreHistograms } from './doubt.ts';

const SETTINGS = z.strictObject({ modelKey: z.string() });
const RANGE: z.ZodType<IdRange> = z.strictObject({ from: z.string(), below: z.string().optional() });

/** Of ten million images 160,000 each. */
const PARTS = 64;

/** By number of the model's class. */
type ClassCounts = readonly (readonly [index: number, counts: Uint32Array])[];

interface DoubtContext extends Pick<Workspace, 'store'>, z.infer<typeof SETTINGS>, Merging<ClassCounts> {}

export const doubtStage = reductionStage<z.infer<typeof SETTINGS>, DoubtContext, IdRange, ClassCounts>({
  name: 'doubt',
  // Candidates of the same images may be others by then.
  isKept: false,
  within: 'detect',
  settings: SETTINGS,
  shard: RANGE,

  async open({ workspace: { store }, settings }) {
    return { store, ...settings };
  },

  total: async () => PARTS,

  async *plan() {
    const byte = (part: number) => ((256 * part) / PARTS).toString(16).padStart(2, '0');
    for (let part = 0; part < PARTS; part++) {
      yield { from: byte(part), ...(part + 1 < PARTS && { below: byte(part + 1) }) };
    }
  },

  map: ({ store, modelKey }, range) => countsIn(store, modelKey, range),
});

async function countsIn(store: Pick<Store, 'candidates'>, modelKey: string, range?: IdRange): Promise<ClassCounts> {
  const histograms = new ScoreHistograms<number>();
  for await (const page of store.candidates(modelKey, range)) {
    for (const { detections } of page) histograms.add(detections, (index) => index);
  }
  return histograms.classes();
}

/** From the candidates that a model left in a workspace. */
export async function doubtsIn(store: Pick<Store, 'candidates'>, query: DoubtQuery): Promise<ClassDoubt[]> {
  const histograms = new ScoreHistograms();
  addNamed(histograms, query, await countsIn(store, query.modelKey));
  return classDoubts(histograms, query.odds);
}

export interface TogetherOptions extends RunOptions {
  /** Images with candidates from which the engine of the workspace counts (default 100,000). */
  readonly spreadFrom?: number;
}

/** {@link doubtsIn}, by all machines there are where the candidates are many. */
export async function doubtsTogether(
  workspace: Workspace,
  query: DoubtQuery,
  { spreadFrom = SPREAD_FROM, ...options }: TogetherOptions,
): Promise<ClassDoubt[]> {
  const { store } = workspace;
  const { modelKey, odds } = query;
  const models = await store.candidateModels();
  const images = models.find((one) => one.modelKey === modelKey)?.images ?? 0;
  if (images < spreadFrom) return doubtsIn(store, query);
  const settings = { modelKey };
  const { doubts } = await recordRun(store, { stage: 'doubt', settings, modelKey }, options, async (runId) => {
    const histograms = new ScoreHistograms();
    const merge = (counts: ClassCounts) => addNamed(histograms, query, counts);
    const { seed, threads, signal } = options;
    await reduce(doubtStage, { workspace, runId, seed, threads, signal, settings }, { store, modelKey, merge });
    return { counts: { images }, interrupted: false, doubts: classDoubts(histograms, odds) };
  });
  return doubts;
}

/** Classes of the model that the corpus calls by one name count as one. */
function addNamed(
  histograms: ScoreHistograms,
  { classNames, mapping }: Pick<DoubtQuery, 'classNames' | 'mapping'>,
  counts: ClassCounts,
): void {
  for (const [index, own] of counts) {
    const name = classNames[index];
    histograms.addCounts(mapping[name] ?? name, own);
  }
}
