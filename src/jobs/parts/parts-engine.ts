/**
 * Work that is spread without a queue: `--shard i/n` in as many processes as there are, on machines that share a workspace
 * and nothing else, as a Kubernetes Indexed Job or a Slurm array.
 *
 * Every process makes the same plan and does each n-th shard of it. What comes of a shard goes among the blobs
 * (`shard-results.ts`), and nothing is committed until all shards are there: so the plan is the same for all, whenever they
 * begin. The last process to finish writes everything down, in the order of the plan, as one machine does; that is what the
 * others end without waiting for. Its commits are those of the local engine, so the results are byte for byte the same.
 *
 * At least once is enough: a process that was killed is begun again and does what its part lacks; the same shard done twice
 * is the same blob; of two that would write down one has the claim. A process without `--shard` does what is missing of all
 * parts, and writes down.
 *
 * Memory: 100 bytes a shard of the plan, and what the local engine holds.
 */

import { LabelsmithError } from '../../errors.ts';
import { versionOfResults } from '../run.ts';
import type { Counts, EachItem, Engine, StageDefinition, StageJob, StageSummary } from '../stage.ts';
import { type ClaimOptions, withClaim } from './claim.ts';
import { isFinished, noteFinished } from './finished.ts';
import { PartDone } from './part-done.ts';
import { type ShardResults, shardResults } from './shard-results.ts';

export interface Part {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export interface PartsOptions {
  readonly local: Engine;
  /** Undefined: does what is missing of all parts, where any were done. */
  readonly part?: Part;
  readonly claim?: ClaimOptions;
  /** Told of shards that parts have done and that are none of the plan: of another `--shard-size`, or of data that changed since. */
  readonly onUnused?: (shards: number) => void;
}

export function partsEngine({ local, part, ...options }: PartsOptions): Engine {
  return {
    isPart: part !== undefined,
    async run(stage, job, context) {
      if (context !== undefined) return new PartsRun(local, stage, job, context, options).run(part);
      const own = await stage.open(job);
      try {
        return await new PartsRun(local, stage, job, own, options).run(part);
      } finally {
        await stage.close?.(own);
      }
    },
    openInference: local.openInference,
    withInference: local.withInference,
  };
}

interface WritingDown {
  readonly planned?: ReadonlySet<string>;
  readonly otherwise?: () => Error;
}

class PartsRun<Settings, Context, Shard, Result> {
  readonly #local: Engine;
  readonly #stage: StageDefinition<Settings, Context, Shard, Result>;
  readonly #job: StageJob<Settings>;
  readonly #context: Context;
  readonly #options: Pick<PartsOptions, 'claim' | 'onUnused'>;

  constructor(
    local: Engine,
    stage: StageDefinition<Settings, Context, Shard, Result>,
    job: StageJob<Settings>,
    context: Context,
    options: Pick<PartsOptions, 'claim' | 'onUnused'>,
  ) {
    this.#local = local;
    this.#stage = stage;
    this.#job = job;
    this.#context = context;
    this.#options = options;
  }

  async run(part: Part | undefined): Promise<StageSummary> {
    // A step within a run comes after all parts are written down, by whoever did that.
    const isAlone = this.#stage.within !== undefined || this.#stage.isQuick?.(this.#context);
    if (isAlone) return this.#local.run(this.#stage, this.#job, this.#context);
    const results = await this.#results();
    if (part === undefined) {
      const { size } = await results.done();
      return size === 0 ? this.#local.run(this.#stage, this.#job, this.#context) : this.#writeDown(results);
    }
    await this.#endIfOver(part, results, await this.#planned(results));
    const own = await this.#doPart(part, results);
    if (own.interrupted) return own;
    await this.#endIfOver(part, results, own.planned, own);
    if (!own.hasWork) {
      // Nothing to do, whoever asks: the command goes on, and says so.
      for (const shard of own.planned) await results.drop(shard);
      return this.#local.run(this.#stage, this.#job, this.#context);
    }
    const planned = own.planned.size;
    const done = await results.done();
    const doneShards = [...own.planned].filter((shard) => done.has(shard)).length;
    const otherShards = done.size - doneShards;
    const { shards, counts } = own;
    const { index, count } = part;
    const about = {
      stage: this.#stage.name,
      index,
      count,
      shards,
      items: counts.items ?? 0,
      allShards: planned,
      otherShards,
      isOver: false,
    };
    if (doneShards < planned) throw new PartDone({ ...about, doneShards });
    return this.#writeDown(results, { planned: own.planned, otherwise: () => new PartDone({ ...about, doneShards }) });
  }

  /** Of a stage that plans all there is; of others nothing needs to be known beforehand. */
  async #planned(results: ShardResults): Promise<ReadonlySet<string>> {
    const planned = new Set<string>();
    if (!this.#stage.plansAll) return planned;
    for await (const shard of this.#stage.plan(this.#context)) planned.add(results.nameOf(shard));
    return planned;
  }

  /** Work that is written down is over: what a late part has done of it is taken away. */
  async #endIfOver(
    { index, count }: Part,
    results: ShardResults,
    planned: ReadonlySet<string>,
    { shards, counts }: Pick<StageSummary, 'shards' | 'counts'> = { shards: 0, counts: {} },
  ): Promise<void> {
    const { workspace, runId } = this.#job;
    if (!this.#stage.plansAll || planned.size === 0) return;
    if (!(await isFinished(workspace.store, { name: results.name, planned, runId }))) return;
    for (const shard of await results.done()) await results.drop(shard);
    const [doneShards, allShards] = [planned.size, planned.size];
    const { name: stage } = this.#stage;
    const items = counts.items ?? 0;
    throw new PartDone({ stage, index, count, shards, items, doneShards, allShards, otherShards: 0, isOver: true });
  }

  async #results(): Promise<ShardResults> {
    const { settings, seed, workspace } = this.#job;
    const { name: stage } = this.#stage;
    const fingerprint = this.#stage.fingerprint?.(this.#context) ?? '';
    return shardResults(workspace.blobs, { stage, settings, seed, fingerprint, version: await versionOfResults() });
  }

  /** Each n-th shard of the plan that is not done yet. */
  async #doPart(
    { index, count }: Part,
    results: ShardResults,
  ): Promise<StageSummary & { readonly planned: ReadonlySet<string>; readonly hasWork: boolean }> {
    const before = await results.done();
    const planned = new Set<string>();
    let hasWork = false;
    const stage = this.#stage;
    const own: StageDefinition<Settings, Context, Shard, { readonly items: number; readonly value: Result }> = {
      ...stage,
      async total(context) {
        const all = await stage.total?.(context);
        return all === undefined ? undefined : Math.ceil(all / count);
      },
      async *plan(context) {
        let n = 0;
        for await (const shard of stage.plan(context)) {
          const name = results.nameOf(shard);
          planned.add(name);
          hasWork ||= !stage.isIdle?.(shard);
          if (n++ % count === index && !before.has(name)) yield shard;
        }
      },
      process: (context, shard, eachItem) => counted(eachItem, (counting) => stage.process(context, shard, counting)),
      async commit(_, shard, done): Promise<Counts> {
        await results.put(results.nameOf(shard), done);
        return { items: done.items };
      },
    };
    const summary = await this.#local.run(own, this.#job, this.#context);
    return { ...summary, planned, hasWork };
  }

  /**
   * @param planned shards that must be done still: somebody may have written them down since they were seen, and this
   *   context need not know
   * @param otherwise what is told where somebody else writes down, or has
   */
  async #writeDown(
    results: ShardResults,
    { planned = new Set(), otherwise = anotherWrites }: WritingDown = {},
  ): Promise<StageSummary> {
    const { store } = this.#job.workspace;
    const stage = this.#stage;
    const claimed = await withClaim(
      store,
      results.name,
      async (mine) => {
        const there = await results.done();
        if ([...planned].some((shard) => !there.has(shard))) throw otherwise();
        const whole: StageDefinition<Settings, Context, Shard, Result> = {
          ...stage,
          async process(context, shard, eachItem) {
            const done = await results.get(results.nameOf(shard));
            if (done === undefined) return stage.process(context, shard, eachItem);
            // Tells how far it is.
            await eachItem(
              Array.from({ length: done.items }),
              async () => {},
              () => true,
            );
            // What `process` of the same stage gave, cloned.
            return done.value as Result;
          },
          async commit(context, shard, result) {
            mine();
            const counts = await stage.commit(context, shard, result);
            await results.drop(results.nameOf(shard));
            return counts;
          },
        };
        const summary = await this.#local.run(whole, this.#job, this.#context);
        // Of shards that were cut otherwise, or that came after they were written down.
        if (summary.interrupted) return summary;
        if (stage.plansAll) {
          const { runId } = this.#job;
          await noteFinished(store, { name: results.name, planned: await this.#planned(results), runId });
        }
        const unused = await results.done();
        if (unused.size > 0) this.#options.onUnused?.(unused.size);
        for (const shard of unused) await results.drop(shard);
        return summary;
      },
      this.#options.claim,
    );
    if (claimed.kind === 'held') throw otherwise();
    return claimed.value;
  }
}

async function counted<Result>(
  eachItem: EachItem,
  work: (eachItem: EachItem) => Promise<Result>,
): Promise<{ readonly items: number; readonly value: Result }> {
  let items = 0;
  const value = await work(async (list, each) => {
    const results = await eachItem(list, each);
    items += list.length;
    return results;
  });
  return { items, value };
}

function anotherWrites(): LabelsmithError {
  return new LabelsmithError('BUSY', 'Another process is writing down what the parts have done', {
    hint: 'Wait until it has ended.',
  });
}
