/**
 * The thread behind `pool.ts`: makes sessions and runs them, one request after the other, in the order they come.
 *
 * Inputs stand in shared memory and are only read; outputs are moved to the caller, not copied.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, LabelsmithError, messageOf } from '../errors.ts';
import { Session, type SessionSettings, type Tensors, type ValueTypes } from './session.ts';

export type Request =
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly model: number;
      readonly source: string | Uint8Array;
      readonly settings: SessionSettings;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly model: number;
      readonly feeds: Tensors;
      readonly outputs: readonly string[] | undefined;
    }
  | { readonly kind: 'unload'; readonly id: number; readonly model: number }
  | { readonly kind: 'close'; readonly id: number };

export type Reply =
  | {
      readonly kind: 'loaded';
      readonly id: number;
      readonly inputs: readonly string[];
      readonly outputs: readonly string[];
      readonly types: ValueTypes;
    }
  | { readonly kind: 'ran'; readonly id: number; readonly tensors: Tensors }
  | { readonly kind: 'done'; readonly id: number }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: ErrorCode | null;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** Shared with the pool: places of an Int32Array. */
export const GATE = {
  /** The pool sets it when the process is about to end: nothing new may start. */
  stop: 0,
  /** The worker sets it while it is inside ONNX Runtime. */
  busy: 1,
} as const;

const port = parentPort;
const gate = workerData as Int32Array;
if (!port) throw new LabelsmithError('UNSUPPORTED', 'pool.worker is started by InferencePool, in a thread of its own');

const sessions = new Map<number, Session>();

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case 'load': {
      const session = await Session.create(request.source, request.settings);
      sessions.set(request.model, session);
      return { kind: 'loaded', id, inputs: session.inputs, outputs: session.outputs, types: session.types };
    }
    case 'run': {
      const session = sessions.get(request.model);
      if (!session) throw new LabelsmithError('UNSUPPORTED', `model ${request.model} is not loaded in this thread`);
      return { kind: 'ran', id, tensors: await session.run(request.feeds, request.outputs) };
    }
    case 'unload': {
      await sessions.get(request.model)?.close();
      sessions.delete(request.model);
      return { kind: 'done', id };
    }
    case 'close': {
      for (const session of sessions.values()) await session.close();
      sessions.clear();
      return { kind: 'done', id };
    }
    default:
      throw request satisfies never;
  }
}

async function handle(request: Request): Promise<void> {
  let reply: Reply;
  // Ending a thread inside a native call of onnxruntime-node 1.30 aborts the whole process. So the pool stops at this
  // gate, and waits until nobody is behind it.
  Atomics.store(gate, GATE.busy, 1);
  try {
    if (Atomics.load(gate, GATE.stop)) throw new LabelsmithError('INTERRUPTED', 'the process is ending');
    reply = await answer(request);
  } catch (error) {
    const known = error instanceof LabelsmithError ? error : undefined;
    reply = { kind: 'failed', id: request.id, code: known?.code ?? null, message: messageOf(error), hint: known?.hint };
  } finally {
    Atomics.store(gate, GATE.busy, 0);
    Atomics.notify(gate, GATE.busy);
  }
  const moved = reply.kind === 'ran' ? Object.values(reply.tensors).map(({ data }) => data.buffer as ArrayBuffer) : [];
  port?.postMessage(reply, [...new Set(moved)]);
  if (request.kind === 'close') port?.close();
}

/** Requests are answered strictly one after the other, although loading and running are asynchronous. */
let last: Promise<void> = Promise.resolve();
port.on('message', (request: Request) => {
  last = last.then(() => handle(request));
});
