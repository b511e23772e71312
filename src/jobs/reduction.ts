/**
 * Reductions: what is worked out from many parts. A part is mapped to a small result by whoever takes it; the process that runs
 * the reduction merges the results in the order of the plan.
 *
 * Guarantees: parts are fixed by the data, and so is the order of merging, so that sums have the same bits for any number of
 * workers, and on one machine. What a part comes to is itself merged in a fixed order (files of a group, blocks of rows), so the
 * whole is a tree: items, parts, all.
 *
 * What a part came to is kept among the blobs of the workspace ({@link Reduction.isKept}) until whoever runs the reduction has
 * written down what came of all ({@link dropParts}). So one that is stopped goes on where it was, whoever did its parts. It reads what
 * the record and the vector files have; no image is read for it, and no model runs.
 */
import type { BlobStore } from '../blobs/blob-store.ts';
import { LabelsmithError } from '../errors.ts';
import { type ShardResults, shardResults } from './parts/shard-results.ts';
import { versionOfResults } from './run.ts';
import type { StageDefinition, StageJob } from './stage.ts';

export interface Merging<Result> {
  /** Told of what each part came to, one after the other in the order of the plan, in the process that runs the reduction. */
  readonly merge?: (result: Result) => void;
  /** What parts came to; the stage and {@link reduce} open it. */
  readonly kept?: ShardResults;
}

type Given = 'name' | 'within' | 'settings' | 'shard' | 'open' | 'close' | 'total' | 'isQuick' | 'plan';

export interface Reduction<Settings, Context, Part, Result>
  extends Pick<StageDefinition<Settings, Context, Part, Result>, Given> {
  /**
   * Whether settings, seed and part decide what a part comes to, since they name all data by its content; so that it can be
   * kept, and is the same whenever it is asked for.
   */
  readonly isKept: boolean;
  /** What one part comes to; depends on nothing but the part, the settings and the data. */
  map(context: Context, part: Part): Promise<Result>;
}

export interface ReductionStage<Settings, Context, Part, Result>
  extends StageDefinition<Settings, Context, Part, Result> {
  readonly isKept: boolean;
}

/** A reduction as a stage, for the engines; it writes nothing into the record. */
export function reductionStage<Settings, Context extends Merging<Result>, Part, Result>({
  map,
  ...given
}: Reduction<Settings, Context, Part, Result>): ReductionStage<Settings, Context, Part, Result> {
  return {
    ...given,

    async open(job) {
      const context = await given.open(job);
      return given.isKept ? { ...context, kept: await partsOf(given.name, job) } : context;
    },

    async process(context, part, eachItem) {
      const [result] = await eachItem([part], (one) => keptOr(context.kept, one, () => map(context, one)));
      return result;
    },

    async commit({ merge }, _part, result) {
      merge?.(result);
      return {};
    },
  };
}

async function keptOr<Result>(
  kept: ShardResults | undefined,
  part: unknown,
  work: () => Promise<Result>,
): Promise<Result> {
  if (kept === undefined) return work();
  const name = kept.nameOf(part);
  const there = await kept.get(name);
  // What the same reduction gave, cloned.
  if (there !== undefined) return there.value as Result;
  const value = await work();
  // What cannot be kept is made again where it is asked for again.
  await kept.put(name, { items: 1, value }).catch(() => {});
  return value;
}

/** Has the engine of the workspace do a reduction to its end, over everything whatever the job's limit. */
export async function reduce<Settings, Context extends Merging<Result>, Part, Result>(
  stage: ReductionStage<Settings, Context, Part, Result>,
  job: StageJob<Settings>,
  context: Context,
): Promise<void> {
  const { blobs, engine } = job.workspace;
  const isKept = stage.isKept && !stage.isQuick?.(context);
  const kept = isKept ? await partsOf(stage.name, job) : undefined;
  if (kept !== undefined) await dropParts(blobs, [stage.name], kept.name);
  const { interrupted } = await engine.run(stage, { ...job, limit: undefined }, { ...context, kept });
  if (!interrupted) return;
  throw new LabelsmithError('INTERRUPTED', `Stopped in the middle of ${stage.name}.`, {
    hint: isKept ? 'Run it again: it goes on where it stopped.' : 'Run it again: what is in the record is kept.',
  });
}

const PARTS_FOLDER = 'reductions/';

async function partsOf(stage: string, { workspace, settings, seed }: StageJob<unknown>): Promise<ShardResults> {
  const of = { stage, settings, seed, fingerprint: '', version: await versionOfResults() };
  return shardResults(workspace.blobs, of, PARTS_FOLDER);
}

/**
 * Forgets what parts came to; who is at them does them again.
 * @param stages of which. Default: of all.
 * @param but the name of parts that stay
 */
export async function dropParts(
  blobs: Pick<BlobStore, 'list' | 'delete'>,
  stages: readonly string[] = [''],
  but?: string,
): Promise<void> {
  for (const stage of stages) {
    const prefix = stage === '' ? PARTS_FOLDER : `${PARTS_FOLDER}${stage}-`;
    for await (const { key } of blobs.list(prefix)) {
      if (but === undefined || !key.startsWith(`${PARTS_FOLDER}${but}/`)) await blobs.delete(key);
    }
  }
}
