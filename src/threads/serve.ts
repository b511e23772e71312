/** The other side of `worker-pool.ts`: what a module does in a thread of the pool. */
import { parentPort, workerData } from 'node:worker_threads';
import { LabelsmithError } from '../errors.ts';
import { type PlainError, plainError } from './plain-error.ts';

/** What a thread is started with. */
export interface ThreadSetup {
  /** See {@link GATE}. */
  readonly gate: Int32Array;
  readonly data: unknown;
}

/** Shared with the pool: places of an Int32Array. */
export const GATE = {
  /** The pool sets it when the process is about to end: nothing new may start. */
  stop: 0,
  /** The thread sets it while it works. */
  busy: 1,
} as const;

export type Message = { readonly id: number; readonly request: unknown } | 'close';
export type Answer =
  | { readonly id: number; readonly kind: 'done'; readonly reply: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly error: PlainError };

export interface Served<Reply> {
  readonly reply: Reply;
  /** Memory of the reply that is moved to the caller, not copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/**
 * Answers requests strictly one after the other, in the order they come, although the work may be asynchronous.
 * @param begin gets what the pool gives every thread, and gives what does the work
 */
export function serve<Data, Request, Reply>(
  begin: (data: Data) => (request: Request) => Served<Reply> | Promise<Served<Reply>>,
  end: () => Promise<void> = async () => undefined,
): void {
  const port = parentPort;
  if (!port) throw new LabelsmithError('UNSUPPORTED', 'this file is started by a pool, in a thread of its own');
  const { gate, data } = workerData as ThreadSetup;
  const work = begin(data as Data);
  const handle = async (message: Message): Promise<void> => {
    if (message === 'close') {
      await end();
      port.close();
      return;
    }
    const { id, request } = message;
    try {
      const { reply, transfer = [] } = await behindGate(gate, async () => work(request as Request));
      port.postMessage({ id, kind: 'done', reply } satisfies Answer, [...new Set(transfer)]);
    } catch (error) {
      port.postMessage({ id, kind: 'failed', error: plainError(error) } satisfies Answer);
    }
  };
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: Message) => {
    last = last.then(() => handle(message));
  });
}

/** A process that ends waits until nobody is behind the gate: see `worker-pool.ts`. */
async function behindGate<T>(gate: Int32Array, work: () => Promise<T>): Promise<T> {
  Atomics.store(gate, GATE.busy, 1);
  try {
    if (Atomics.load(gate, GATE.stop)) throw new LabelsmithError('INTERRUPTED', 'the process is ending');
    return await work();
  } finally {
    Atomics.store(gate, GATE.busy, 0);
    Atomics.notify(gate, GATE.busy);
  }
}
