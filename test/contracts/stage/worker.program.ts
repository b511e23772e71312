/** A process that does shards: told a stage's name, its settings and then shards, each as JSON text. */
import { ItemLanes } from '../../../src/jobs/item-lanes.ts';
import type { StageWorker } from '../../../src/jobs/stage-worker.ts';
import { openWorkspace } from '../../../src/jobs/workspace.ts';
import { STAGES } from '../../../src/stages/table.ts';
import type { FromWorker, ToWorker, WorkerJob } from './messages.ts';
import { colourModels } from './models.ts';

async function open(job: WorkerJob): Promise<StageWorker> {
  const workspace = await openWorkspace(job.dir, { create: false, models: colourModels(job.cacheDir) });
  const entry = STAGES.find(({ name }) => name === job.stage);
  if (!entry) throw new Error(`no stage ${job.stage}`);
  const { runId, seed, threads } = job;
  const worker = await entry.openWorker({ workspace, settings: JSON.parse(job.settings), runId, seed, threads });
  return {
    fingerprint: worker.fingerprint,
    process: worker.process,
    async close() {
      await worker.close();
      await workspace.close();
    },
  };
}

const say = (message: FromWorker) => process.send?.(message);
const lanes = new ItemLanes(2);
let opened: Promise<StageWorker> | undefined;

process.on('message', async (message: ToWorker) => {
  switch (message.kind) {
    case 'open':
      opened = open(message.job);
      // Told with the first shard.
      opened.catch(() => {});
      return;
    case 'shard':
      try {
        const worker = await opened;
        const result = await worker?.process(JSON.parse(message.shard), lanes.forShard().eachItem);
        say({ kind: 'done', id: message.id, result });
      } catch (error) {
        say({ kind: 'failed', id: message.id, message: error instanceof Error ? (error.stack ?? '') : String(error) });
      }
      return;
    case 'close':
      await (await opened?.catch(() => undefined))?.close();
      opened = undefined;
      say({ kind: 'closed' });
      return;
    default:
      message satisfies never;
  }
});
