/**
 * The process that does shards: opens the workspace once, each stage of a run when its first shard comes, and writes what came
 * of a shard into the record.
 */
import { serialize } from 'node:v8';
import { messageOf } from '../../errors.ts';
import { endedRun } from '../../jobs/fleet/ended-run.ts';
import type { ShardJob } from '../../jobs/fleet/queue.ts';
import type { ShardOutcome } from '../../jobs/fleet/worker.ts';
import { enoughInFlight, ItemLanes } from '../../jobs/item-lanes.ts';
import type { EachItem } from '../../jobs/stage.ts';
import type { StageWorker } from '../../jobs/stage-worker.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import type { Models } from '../../models/models.ts';
import type { Device } from '../../onnx/device.ts';
import { STAGES } from '../table.ts';
import type { FromProcess, ProcessSetup, ToProcess } from './messages.ts';

/** Stages that are kept open: that of the run under way, and the one before, whose last shards may still be coming. */
const MAX_OPEN = 2;

export interface ServeOptions {
  /** Default: those of this machine's cache. */
  readonly models?: Models;
}

/** Answers the messages of the worker that started this process. */
export function serveShards({ models }: ServeOptions = {}): void {
  let shards: Promise<Shards> | undefined;
  const say = (message: FromProcess) => process.send?.(message, () => {});
  // A worker that is gone has nobody to do shards for.
  process.on('disconnect', () => process.exit(0));
  // Ends are the worker's to decide: a terminal sends Ctrl-C to all processes of a group.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('message', async (message: ToProcess) => {
    switch (message.kind) {
      case 'setup':
        shards = openShards(message.setup, models);
        // Told with the first shard.
        shards.catch(() => {});
        return;
      case 'shard':
        say({ id: message.id, outcome: await outcomeOf(shards, message.job) });
        return;
      case 'close':
        await (await shards?.catch(() => undefined))?.close();
        process.exit(0);
        return;
      default:
        message satisfies never;
    }
  });
}

async function outcomeOf(shards: Promise<Shards> | undefined, job: ShardJob): Promise<ShardOutcome> {
  try {
    if (shards === undefined) throw new Error('a shard came before the workspace');
    return await (await shards).run(job);
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

async function openShards(setup: ProcessSetup, models: Models | undefined): Promise<Shards> {
  const { location, device } = setup;
  const workspace = await openWorkspace(location, { create: false, device: device as Device, models });
  return new Shards(workspace, setup);
}

async function resultOrEnd(working: Promise<unknown>): Promise<unknown> {
  try {
    return await working;
  } catch (error) {
    const ended = endedRun(error);
    if (ended === undefined) throw error;
    return ended;
  }
}

class Shards {
  readonly #workspace: Workspace;
  readonly #setup: ProcessSetup;
  readonly #lanes: ItemLanes;
  /** By run and stage, what was used last at the end. */
  readonly #open = new Map<string, Promise<StageWorker>>();

  constructor(workspace: Workspace, setup: ProcessSetup) {
    this.#workspace = workspace;
    this.#setup = setup;
    this.#lanes = new ItemLanes(enoughInFlight(setup.threads));
  }

  async run(job: ShardJob): Promise<ShardOutcome> {
    const worker = await this.#workerFor(job);
    if (worker.fingerprint !== job.fingerprint) {
      return {
        kind: 'refused',
        reason:
          `the ${job.stage} of this run is of ${job.fingerprint}, and this machine has ${worker.fingerprint}: ` +
          'pull or import the same model here (labelsmith models)',
      };
    }
    let items = 0;
    const { eachItem, end } = this.#lanes.nextShard();
    const counted: EachItem = async (list, work) => {
      const results = await eachItem(list, work);
      items += list.length;
      return results;
    };
    const result = await resultOrEnd(worker.process(JSON.parse(job.input), counted)).finally(end);
    const { runId, shard } = job;
    const data = serialize(result);
    const kept = await this.#workspace.store.putShardResult({ runId, shard, items, data, worker: this.#setup.worker });
    return { kind: kept ? 'done' : 'late', items };
  }

  async #workerFor(job: ShardJob): Promise<StageWorker> {
    const key = `${job.runId} ${job.stage} ${job.settings}`;
    const known = this.#open.get(key);
    this.#open.delete(key);
    const opening = known ?? this.#openStage(job);
    this.#open.set(key, opening);
    opening.catch(() => this.#open.delete(key));
    for (const [oldest, stage] of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(oldest);
      void stage.then((worker) => worker.close()).catch(() => {});
    }
    return opening;
  }

  async #openStage({ stage, settings, runId, seed }: ShardJob): Promise<StageWorker> {
    const entry = STAGES.find(({ name }) => name === stage);
    if (entry === undefined) throw new Error(`there is no stage ${stage} in this version`);
    const { threads } = this.#setup;
    return entry.openWorker({ workspace: this.#workspace, settings: JSON.parse(settings), runId, seed, threads });
  }

  async close(): Promise<void> {
    for (const stage of this.#open.values()) await stage.then((worker) => worker.close()).catch(() => {});
    await this.#workspace.close();
  }
}
