/**
 * Runs models in threads of their own, several at once.
 *
 * One session a thread and model, each with one intra-op thread: a result never depends on how many threads there are or
 * which of them made it. Inputs are put into shared memory (those that are there already are not copied) and the caller's
 * arrays are never detached: they may be used again once the promise settles. Outputs are moved out of the thread and
 * belong to the caller. A thread that dies is replaced by one with the same models: see `threads/worker-pool.ts`.
 */
import { availableParallelism } from 'node:os';
import { LabelsmithError } from '../errors.ts';
import { requireThreads, WorkerPool } from '../threads/worker-pool.ts';
import type { Device } from './device.ts';
import type { Reply, Request } from './pool.worker.ts';
import { assertTelemetryOff, prepareRuntime } from './runtime.ts';
import { engineSelfTest } from './self-test.ts';
import type { SessionSettings, Tensors, ValueTypes } from './session.ts';
import type { TensorArray } from './tensor.ts';

export interface PoolOptions {
  /** Threads (default: the cores this process may use). */
  readonly threads?: number;
  /** Requests a thread holds at once (default 2: one under way, one ready); more costs their inputs' bytes. */
  readonly queuePerThread?: number;
  /** What the threads' sessions run on (default `cpu`). One that cannot be used is an error when the pool is made. */
  readonly device?: Device;
}

export interface LoadOptions extends Pick<SessionSettings, 'dims'> {
  /** Loading the same key again returns the same model. It must say everything the model depends on. */
  readonly key: string;
}

/** A model that every thread has a session for. */
export interface PoolModel {
  readonly key: string;
  readonly id: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of its inputs and outputs, by name. */
  readonly types: ValueTypes;
}

interface Loaded {
  readonly model: Promise<PoolModel>;
  readonly request: Request;
}

/** `pool.worker.ts` in a checkout, `pool.worker.js` when compiled. */
const WORKER = new URL(`./pool.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export class InferencePool {
  readonly device: Device;
  readonly #threads: WorkerPool<Request, Reply>;
  readonly #buffers: BufferStock;
  readonly #models = new Map<string, Loaded>();
  #nextId = 0;

  private constructor({ threads, queuePerThread, device }: Required<PoolOptions>) {
    this.device = device;
    this.#threads = new WorkerPool({
      worker: WORKER,
      threads,
      queuePerThread,
      what: 'an inference thread',
      start: 'now',
      // Ending a thread inside a native call of onnxruntime-node 1.30 aborts the whole process.
      native: true,
      onStart: (ask) => {
        for (const { request } of this.#models.values()) {
          // A model that failed here fails again at its next run, with its reason.
          ask(request).catch(() => undefined);
        }
      },
    });
    this.#buffers = new BufferStock(2 * this.#threads.capacity);
  }

  static async create({
    threads = availableParallelism(),
    queuePerThread = 2,
    device = 'cpu',
  }: PoolOptions = {}): Promise<InferencePool> {
    requireThreads(threads);
    assertTelemetryOff();
    await prepareRuntime();
    if (device !== 'cpu') await engineSelfTest(device);
    return new InferencePool({ threads, queuePerThread, device });
  }

  get threads(): number {
    return this.#threads.threads;
  }

  /** Runs that are with the threads or ready for them when the pool is busy; more in flight brings nothing. */
  get capacity(): number {
    return this.#threads.capacity;
  }

  /** Makes a session in every thread. `source` is a file's path or the model's bytes. */
  load(source: string | Uint8Array, { key, dims }: LoadOptions): Promise<PoolModel> {
    const known = this.#models.get(key);
    if (known) return known.model;
    const id = this.#nextId++;
    const settings: SessionSettings = { threads: 1, device: this.device, dims };
    const request: Request = { kind: 'load', model: id, source: shareBytes(source), settings };
    const model = this.#threads.runOnEach(request).then(([first]) => {
      if (first?.kind !== 'loaded') throw new LabelsmithError('UNSUPPORTED', `loading ${key} was answered otherwise`);
      const { inputs, outputs, types } = first;
      return { key, id, inputs, outputs, types };
    });
    this.#models.set(key, { model, request });
    model.catch(() => this.#models.delete(key));
    return model;
  }

  /** Closes a model's sessions in every thread. Runs that are under way are finished first. */
  async unload(model: PoolModel): Promise<void> {
    this.#models.delete(model.key);
    await this.#threads.runOnEach({ kind: 'unload', model: model.id });
  }

  /** Runs a model on the first free thread. `outputs` (default all) names what to hand back. */
  async run(model: PoolModel, feeds: Tensors, outputs?: readonly string[]): Promise<Tensors> {
    const lent: SharedArrayBuffer[] = [];
    const reply = await this.#threads.run(
      () => ({ request: { kind: 'run', model: model.id, feeds: this.#shared(feeds, lent), outputs } }),
      // Not after a thread has died: nobody knows whether it still reads them.
      () => this.#buffers.giveBack(lent),
    );
    if (reply.kind !== 'ran') throw new LabelsmithError('UNSUPPORTED', `run of ${model.key} was answered otherwise`);
    return reply.tensors;
  }

  /** Waits for what is under way, then ends the threads. Requests that no thread had yet fail. */
  close(): Promise<void> {
    return this.#threads.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #shared(feeds: Tensors, lent: SharedArrayBuffer[]): Tensors {
    const shared: Record<string, Tensors[string]> = {};
    for (const [name, feed] of Object.entries(feeds)) {
      if (feed.data.buffer instanceof SharedArrayBuffer) shared[name] = feed;
      else {
        const buffer = this.#buffers.take(feed.data.byteLength);
        lent.push(buffer);
        shared[name] = { ...feed, data: copyInto(buffer, feed.data) };
      }
    }
    return shared;
  }
}

/** Shared memory for inputs, used again by its size. */
class BufferStock {
  readonly #free = new Map<number, SharedArrayBuffer[]>();
  readonly #maxFree: number;
  #count = 0;

  constructor(maxFree: number) {
    this.#maxFree = maxFree;
  }

  take(byteLength: number): SharedArrayBuffer {
    const free = this.#free.get(byteLength)?.pop();
    if (!free) return new SharedArrayBuffer(byteLength);
    this.#count--;
    return free;
  }

  giveBack(buffers: readonly SharedArrayBuffer[]): void {
    for (const buffer of buffers) {
      // Sizes that are no longer asked for must not pile up.
      if (this.#count >= this.#maxFree) {
        this.#free.clear();
        this.#count = 0;
      }
      const free = this.#free.get(buffer.byteLength);
      if (free) free.push(buffer);
      else this.#free.set(buffer.byteLength, [buffer]);
      this.#count++;
    }
  }
}

/** One copy of a model's bytes for all threads. */
function shareBytes(source: string | Uint8Array): string | Uint8Array {
  if (typeof source === 'string' || source.buffer instanceof SharedArrayBuffer) return source;
  const shared = new Uint8Array(new SharedArrayBuffer(source.byteLength));
  shared.set(source);
  return shared;
}

function copyInto(slot: SharedArrayBuffer, data: TensorArray): TensorArray {
  new Uint8Array(slot).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const View = (Buffer.isBuffer(data) ? Uint8Array : data.constructor) as new (
    buffer: SharedArrayBuffer,
  ) => TensorArray;
  return new View(slot);
}
