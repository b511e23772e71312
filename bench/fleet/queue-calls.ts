/** What a call of the queue takes, milliseconds: the median of many, one after the other. */
import { bossQueue } from '../../src/jobs/fleet/boss-queue.ts';
import type { ShardJob } from '../../src/jobs/fleet/queue.ts';
import { median, rounded } from '../process.ts';

const JOBS = 200;
/** As large as a shard of 1,000 images is. */
const INPUT = 'x'.repeat(300_000);

export async function queueCalls(location: string) {
  const queue = await bossQueue({ location });
  const took = { sendAJob: [] as number[], take: [] as number[], touch: [] as number[], done: [] as number[] };
  const timed = async <T>(into: number[], work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    into.push(performance.now() - startedAt);
    return result;
  };
  try {
    const job: ShardJob = {
      runId: 'bench',
      stage: 'detect',
      settings: '{}',
      input: INPUT,
      seed: 0,
      fingerprint: 'model@1',
      shard: '0',
    };
    const TOGETHER = 20;
    for (let n = 0; n < JOBS; n += TOGETHER) {
      const each: number[] = [];
      await timed(each, () => queue.send(Array.from({ length: TOGETHER }, () => job)));
      took.sendAJob.push(each[0] / TOGETHER);
    }
    for (let n = 0; n < JOBS; n++) {
      const [taken] = await timed(took.take, () => queue.take(1));
      if (taken === undefined) break;
      await timed(took.touch, () => taken.touch());
      await timed(took.done, () => taken.done());
    }
  } finally {
    await queue.close();
  }
  return Object.fromEntries(Object.entries(took).map(([name, values]) => [name, rounded(median(values), 2)]));
}
