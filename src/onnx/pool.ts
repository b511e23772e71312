/**
 * Runs models in threads of their own, several at once.
 *
 * One worker a thread, and one session a worker and model, each with one intra-op thread: a result never depends on how
 * many threads there are or which of them made it. Inputs are put into shared memory (those that are there already are
 * not copied) and the caller's arrays are never detached: they may be used again once the promise settles. Outputs
 * are moved out of the worker and belong to the caller.
 *
 * At most `queuePerWorker` requests are with a worker at once; further ones wait here, uncopied. A worker that dies fails
 * the requests it had with a reason, and another takes its place.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LabelsmithError, messageOf } from '../errors.ts';
import type { Device } from './device.ts';
import type { GATE, Reply, Request } from './pool.worker.ts';
import { assertTelemetryOff, prepareRuntime } from './runtime.ts';
import { engineSelfTest } from './self-test.ts';
import type { SessionSettings, Tensors, ValueTypes } from './session.ts';
import type { TensorArray } from './tensor.ts';

export interface PoolOptions {
  /** Workers (default: the cores this process may use). */
  readonly threads?: number;
  /** Requests a worker holds at once (default 2: one under way, one ready); more costs their inputs' bytes. */
  readonly queuePerWorker?: number;
  /** What the workers' sessions run on (default `cpu`). One that cannot be used is an error when the pool is made. */
  readonly device?: Device;
}

export interface LoadOptions extends Pick<SessionSettings, 'dims'> {
  /** Loading the same key again returns the same model. It must say everything the model depends on. */
  readonly key: string;
}

/** A model that every worker has a session for. */
export interface PoolModel {
  readonly key: string;
  readonly id: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of its inputs and outputs, by name. */
  readonly types: ValueTypes;
}

interface Pending {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: LabelsmithError) => void;
  /** Shared memory lent for the inputs. */
  slots: SharedArrayBuffer[];
}

interface Lane {
  worker: Worker;
  /** See `GATE` of `pool.worker.ts`. */
  gate: Int32Array;
  readonly pending: Map<number, Pending>;
  /** Runs among `pending`: what counts against `queuePerWorker`. */
  running: number;
}

interface Loaded {
  readonly model: Promise<PoolModel>;
  readonly source: string | Uint8Array;
  readonly settings: SessionSettings;
  readonly id: number;
}

/** `pool.worker.ts` in a checkout, `pool.worker.js` when compiled. */
const WORKER = new URL(`./pool.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** The places of a worker's gate; see there. */
const STOP: typeof GATE.stop = 0;
const BUSY: typeof GATE.busy = 1;
/** Longer than any one run or load should take; past it the process ends as it may. */
const EXIT_WAIT_MS = 10_000;

function startWorker(gate: Int32Array): Worker {
  // Node hands `--input-type` on to threads and then refuses it there; all else is best inherited.
  const evaluated = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  return new Worker(WORKER, evaluated ? { workerData: gate, execArgv: [] } : { workerData: gate });
}

function newGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

export class InferencePool {
  readonly device: Device;
  readonly #lanes: Lane[] = [];
  readonly #queuePerWorker: number;
  readonly #waiting: Pending[] = [];
  readonly #models = new Map<string, Loaded>();
  readonly #slots = new Map<number, SharedArrayBuffer[]>();
  #freeSlots = 0;
  #nextId = 0;
  #closed = false;

  private constructor({ threads, queuePerWorker, device }: Required<PoolOptions>) {
    this.device = device;
    this.#queuePerWorker = queuePerWorker;
    for (let i = 0; i < threads; i++) this.#lanes.push(this.#startLane());
    process.on('exit', this.#waitForNative);
  }

  static async create({
    threads = availableParallelism(),
    queuePerWorker = 2,
    device = 'cpu',
  }: PoolOptions = {}): Promise<InferencePool> {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new LabelsmithError('USAGE', `threads must be a whole number of at least 1, not ${threads}`);
    }
    assertTelemetryOff();
    await prepareRuntime();
    if (device !== 'cpu') await engineSelfTest(device);
    return new InferencePool({ threads, queuePerWorker, device });
  }

  get threads(): number {
    return this.#lanes.length;
  }

  /** Runs that are with the workers or ready for them when the pool is busy; more in flight brings nothing. */
  get capacity(): number {
    return this.#lanes.length * this.#queuePerWorker;
  }

  /** Makes a session in every worker. `source` is a file's path or the model's bytes. */
  load(source: string | Uint8Array, { key, dims }: LoadOptions): Promise<PoolModel> {
    const known = this.#models.get(key);
    if (known) return known.model;
    const id = this.#nextId++;
    const settings: SessionSettings = { threads: 1, device: this.device, dims };
    const shared = typeof source === 'string' ? source : (shareBytes(source) as Uint8Array);
    const replies = this.#lanes.map((lane) => this.#loadInto(lane, id, shared, settings));
    const model = Promise.all(replies).then(([first]) => {
      if (first?.kind !== 'loaded') throw new LabelsmithError('UNSUPPORTED', `loading ${key} was answered otherwise`);
      return { key, id, inputs: first.inputs, outputs: first.outputs, types: first.types };
    });
    this.#models.set(key, { model, source: shared, settings, id });
    model.catch(() => this.#models.delete(key));
    return model;
  }

  /** Closes a model's sessions in every worker. Runs that are under way are finished first. */
  async unload(model: PoolModel): Promise<void> {
    this.#models.delete(model.key);
    await Promise.all(
      this.#lanes.map((lane) => this.#ask(lane, { kind: 'unload', id: this.#nextId++, model: model.id })),
    );
  }

  /** Runs a model on the first free worker. `outputs` (default all) names what to hand back. */
  async run(model: PoolModel, feeds: Tensors, outputs?: readonly string[]): Promise<Tensors> {
    if (this.#closed) throw closedError();
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const request: Request = { kind: 'run', id: this.#nextId++, model: model.id, feeds, outputs };
    this.#waiting.push({ request, resolve, reject, slots: [] });
    this.#dispatch();
    const reply = await promise;
    if (reply.kind !== 'ran') throw new LabelsmithError('UNSUPPORTED', `run of ${model.key} was answered otherwise`);
    return reply.tensors;
  }

  /** Waits for what is under way, then ends the workers. Requests that no worker had yet fail. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await Promise.all(
      this.#lanes.map(async (lane) => {
        const exited = new Promise((resolve) => lane.worker.once('exit', resolve));
        await this.#ask(lane, { kind: 'close', id: this.#nextId++ });
        lane.worker.ref();
        await exited;
      }),
    );
    process.off('exit', this.#waitForNative);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Gives waiting runs to the workers with the least to do. */
  #dispatch(): void {
    while (this.#waiting.length > 0) {
      let lane: Lane | undefined;
      for (const one of this.#lanes) if (!lane || one.running < lane.running) lane = one;
      if (!lane || lane.running >= this.#queuePerWorker) return;
      const pending = this.#waiting.shift() as Pending;
      const { request } = pending;
      if (request.kind !== 'run') continue;
      lane.running++;
      this.#send(lane, pending, { ...request, feeds: this.#shareFeeds(request.feeds, pending.slots) });
    }
  }

  #shareFeeds(feeds: Tensors, slots: SharedArrayBuffer[]): Tensors {
    const shared: Record<string, Tensors[string]> = {};
    for (const [name, feed] of Object.entries(feeds)) {
      if (feed.data.buffer instanceof SharedArrayBuffer) shared[name] = feed;
      else {
        const slot = this.#takeSlot(feed.data.byteLength);
        slots.push(slot);
        shared[name] = { ...feed, data: copyInto(slot, feed.data) };
      }
    }
    return shared;
  }

  #takeSlot(byteLength: number): SharedArrayBuffer {
    const free = this.#slots.get(byteLength)?.pop();
    if (!free) return new SharedArrayBuffer(byteLength);
    this.#freeSlots--;
    return free;
  }

  #giveBackSlots(slots: readonly SharedArrayBuffer[]): void {
    for (const slot of slots) {
      // Sizes that are no longer asked for must not pile up.
      if (this.#freeSlots >= 2 * this.capacity) {
        this.#slots.clear();
        this.#freeSlots = 0;
      }
      const free = this.#slots.get(slot.byteLength);
      if (free) free.push(slot);
      else this.#slots.set(slot.byteLength, [slot]);
      this.#freeSlots++;
    }
  }

  #loadInto(lane: Lane, model: number, source: string | Uint8Array, settings: SessionSettings): Promise<Reply> {
    return this.#ask(lane, { kind: 'load', id: this.#nextId++, model, source, settings });
  }

  #ask(lane: Lane, request: Request): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    if (this.#closed && request.kind !== 'close') reject(closedError());
    else this.#send(lane, { request, resolve, reject, slots: [] }, request);
    return promise;
  }

  #send(lane: Lane, pending: Pending, request: Request): void {
    lane.pending.set(request.id, pending);
    // A worker with something to do keeps the process alive; an idle one does not.
    if (lane.pending.size === 1) lane.worker.ref();
    lane.worker.postMessage(request);
  }

  /**
   * When the process ends (`process.exit`, an error nobody caught) its threads are ended too, which inside a native call
   * would abort it with a core dump. So no thread may start one, and those under way are waited for.
   */
  readonly #waitForNative = (): void => {
    for (const { gate } of this.#lanes) Atomics.store(gate, STOP, 1);
    for (const { gate } of this.#lanes) Atomics.wait(gate, BUSY, 1, EXIT_WAIT_MS);
  };

  #startLane(): Lane {
    const gate = newGate();
    const lane: Lane = { worker: startWorker(gate), gate, pending: new Map(), running: 0 };
    this.#watch(lane);
    return lane;
  }

  #watch(lane: Lane): void {
    const { worker } = lane;
    let failure: unknown;
    worker.unref();
    worker.on('message', (reply: Reply) => this.#settle(lane, reply));
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', (code) => {
      if (this.#closed && code === 0 && lane.pending.size === 0) return;
      this.#replace(lane, failure === undefined ? `exit code ${code}` : messageOf(failure));
    });
  }

  #settle(lane: Lane, reply: Reply): void {
    const pending = lane.pending.get(reply.id);
    if (!pending) return;
    lane.pending.delete(reply.id);
    if (lane.pending.size === 0) lane.worker.unref();
    if (pending.request.kind === 'run') lane.running--;
    this.#giveBackSlots(pending.slots);
    if (reply.kind === 'failed') {
      const hint = reply.hint ?? 'This is a bug in labelsmith: please report it with this message.';
      pending.reject(new LabelsmithError(reply.code ?? 'UNSUPPORTED', reply.message, { hint }));
    } else pending.resolve(reply);
    this.#dispatch();
  }

  /** Fails what a dead worker had, and starts another with the same models. */
  #replace(lane: Lane, reason: string): void {
    const lost = [...lane.pending.values()];
    lane.pending.clear();
    lane.running = 0;
    if (!this.#closed) {
      lane.gate = newGate();
      lane.worker = startWorker(lane.gate);
      this.#watch(lane);
      for (const { id, source, settings } of this.#models.values()) {
        // A model that failed here fails again at its next run, with its reason.
        this.#loadInto(lane, id, source, settings).catch(() => undefined);
      }
    }
    // The dead worker's slots are not lent again: nobody knows whether it still reads them.
    for (const { request, resolve, reject } of lost) {
      if (request.kind === 'close') resolve({ kind: 'done', id: request.id });
      else {
        reject(
          new LabelsmithError('UNSUPPORTED', `an inference thread died (${reason})`, {
            hint: 'If it ran out of memory, use fewer --threads.',
          }),
        );
      }
    }
    this.#dispatch();
  }
}

function closedError(): LabelsmithError {
  return new LabelsmithError('INTERRUPTED', 'the inference pool is closed');
}

/** One copy of a model's bytes for all workers. */
function shareBytes(bytes: Uint8Array): TensorArray {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  return copyInto(new SharedArrayBuffer(bytes.byteLength), bytes);
}

function copyInto(slot: SharedArrayBuffer, data: TensorArray): TensorArray {
  new Uint8Array(slot).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const View = (Buffer.isBuffer(data) ? Uint8Array : data.constructor) as new (
    buffer: SharedArrayBuffer,
  ) => TensorArray;
  return new View(slot);
}
