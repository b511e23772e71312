/**
 * Reductions: what is worked out from many parts. A part is mapped to a small result by whoever takes it; the process that runs
 * the reduction merges the results in the order of the plan.
 *
 * Guarantees: parts are fixed by the data, and so is the order of merging, so that sums have the same bits for any number of
 * workers, and on one machine. What a part comes to is itself merged in a fixed order (files of a group, blocks of rows), so the
 * whole is a tree: items, parts, all.
 *
 * Keeps nothing between runs: one that is stopped begins anew. It reads what the record and the vector files have; no image is read
 * for it, and no model runs.
 */
import { LabelsmithError } from '../errors.ts';
import type { StageDefinition, StageJob } from './stage.ts';

/** In the process that runs the reduction. */
export interface Merging<Result> {
  /** Told of what each part came to, one after the other in the order of the plan. */
  readonly merge?: (result: Result) => void;
}

type Given = 'name' | 'within' | 'settings' | 'shard' | 'open' | 'close' | 'total' | 'isQuick' | 'plan';

export interface Reduction<Settings, Context, Part, Result>
  extends Pick<StageDefinition<Settings, Context, Part, Result>, Given> {
  /** What one part comes to; depends on nothing but the part, the settings and the data. */
  map(context: Context, part: Part): Promise<Result>;
}

/** A reduction as a stage, for the engines; it writes nothing. */
export function reductionStage<Settings, Context extends Merging<Result>, Part, Result>({
  map,
  ...given
}: Reduction<Settings, Context, Part, Result>): StageDefinition<Settings, Context, Part, Result> {
  return {
    ...given,

    async process(context, part, eachItem) {
      const [result] = await eachItem([part], (one) => map(context, one));
      return result;
    },

    async commit({ merge }, _part, result) {
      merge?.(result);
      return {};
    },
  };
}

/** Has the engine of the workspace do a reduction to its end, over everything whatever the job's limit. */
export async function reduce<Settings, Context extends Merging<Result>, Part, Result>(
  stage: StageDefinition<Settings, Context, Part, Result>,
  job: StageJob<Settings>,
  context: Context,
): Promise<void> {
  const { interrupted } = await job.workspace.engine.run(stage, { ...job, limit: undefined }, context);
  if (!interrupted) return;
  throw new LabelsmithError('INTERRUPTED', `Stopped in the middle of ${stage.name}, which begins anew.`, {
    hint: 'Run it again: what is in the record is kept.',
  });
}
