/** The other side of `limited-process.ts`: what a module in the process does. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LabelsmithError, messageOf } from '../errors.ts';
import type { Answer, Order } from './limited-process.ts';

/** `guard.worker.ts` in a checkout, `guard.worker.js` when compiled. */
const GUARD = new URL(`./guard.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Waits for the one message, does the work under the eyes of a guard, and sends the answer. */
export function answerOnce(work: (task: unknown) => Promise<unknown>): void {
  process.once('message', async (order: Order) => {
    const guard = new Worker(GUARD, { workerData: order.maxBytes });
    // So that what is over at once is looked at too.
    await once(guard, 'message');
    guard.unref();
    process.send?.(await answerTo(order.task, work));
    process.disconnect?.();
  });
}

async function answerTo(task: unknown, work: (task: unknown) => Promise<unknown>): Promise<Answer> {
  try {
    return { kind: 'done', result: await work(task) };
  } catch (error) {
    const known = error instanceof LabelsmithError ? error : undefined;
    return { kind: 'failed', code: known?.code ?? null, message: messageOf(error), hint: known?.hint };
  }
}
