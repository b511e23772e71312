/**
 * Runs ONNX graphs in this thread.
 *
 * A `Runner` keeps its sessions: one a key, made once, the least recently used closed when there are more than
 * `maxSessions`. `session.run` of onnxruntime-node computes before it returns, so a run here blocks the thread; whatever
 * takes more than a few milliseconds while a server or a pipeline is waiting belongs in `pool.ts`.
 */
import { createHash } from 'node:crypto';
import { LabelsmithError, messageOf } from '../errors.ts';
import { type Device, deviceError, deviceOptions, requireListed } from './device.ts';
import { isDtype } from './element-types.ts';
import { onnxRuntime, prepareRuntime } from './runtime.ts';
import type { PortMetadata, RuntimeSession, RuntimeTensor, RuntimeTensors, SessionOptions } from './runtime-types.ts';
import { arrayFromBytes, type NumericDType, type Tensor } from './tensor.ts';
import { UNKNOWN, type ValueType } from './value.ts';

export type ValueTypes = Readonly<Record<string, ValueType>>;
export type Tensors = Readonly<Record<string, Tensor>>;

export interface SessionSettings {
  /** Threads that one operator may use (default 1, with which results never depend on the machine). */
  readonly threads?: number;
  /** What it runs on (default `cpu`); one that is not there is an error. */
  readonly device?: Device;
  /** Fixes sizes that the model leaves open, by their name in its shapes; fixed shapes are planned ahead. */
  readonly dims?: Readonly<Record<string, number>>;
}

export interface RunnerOptions extends SessionSettings {
  /** Sessions kept open (default 16); each holds its weights and its working memory. */
  readonly maxSessions?: number;
}

/** An ONNX Runtime session with the project's settings. `model` is a file's path or its bytes. */
export class Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Types of both by name, as ONNX Runtime has worked them out; sizes that are open are names, or empty. */
  readonly types: ValueTypes;
  readonly #session: RuntimeSession;

  private constructor(session: RuntimeSession) {
    this.#session = session;
    this.inputs = session.inputNames;
    this.outputs = session.outputNames;
    this.types = typesOf([...session.inputMetadata, ...session.outputMetadata]);
  }

  static async create(model: string | Uint8Array, settings: SessionSettings = {}): Promise<Session> {
    const { threads = 1, device = 'cpu', dims } = settings;
    await prepareRuntime();
    requireListed(device);
    const { InferenceSession } = onnxRuntime();
    const options: SessionOptions = {
      ...deviceOptions(device),
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Errors are thrown with their message; the log would print them a second time.
      logSeverityLevel: 4,
      freeDimensionOverrides: dims,
      // Waiting threads sleep: they share the cores with image decoding.
      extra: { session: { set_denormal_as_zero: '1', intra_op: { allow_spinning: '0' } } },
    };
    try {
      // ONNX Runtime reads weights from unshared memory only; it keeps its own copy and this one goes.
      const bytes =
        typeof model !== 'string' && model.buffer instanceof SharedArrayBuffer ? new Uint8Array(model) : model;
      const session = await (typeof bytes === 'string'
        ? InferenceSession.create(bytes, options)
        : InferenceSession.create(bytes, options));
      return new Session(session);
    } catch (cause) {
      if (device !== 'cpu') throw deviceError(device, cause);
      const what = typeof model === 'string' ? `model ${model}` : 'the model';
      throw new LabelsmithError('BAD_MODEL', `ONNX Runtime does not take ${what}: ${messageOf(cause)}`, {
        cause,
        hint: 'The file may be damaged, or use operators that this version does not have.',
      });
    }
  }

  /** Runs the graph; `outputs` (default all) names what to hand back. The arrays handed back are the caller's. */
  async run(feeds: Tensors, outputs: readonly string[] = this.outputs): Promise<Record<string, Tensor>> {
    const { Tensor: RuntimeTensorOf } = onnxRuntime();
    const given: Record<string, RuntimeTensor> = {};
    for (const [name, { dtype, data, dims }] of Object.entries(feeds)) {
      given[name] = new RuntimeTensorOf(dtype as 'float32', data as Float32Array, dims);
    }
    let results: RuntimeTensors;
    try {
      results = await this.#session.run(given, [...outputs]);
    } catch (cause) {
      throw new LabelsmithError('BAD_MODEL', `ONNX Runtime could not run the graph: ${messageOf(cause)}`, { cause });
    }
    const tensors: Record<string, Tensor> = {};
    for (const name of outputs) tensors[name] = fromOrt(results[name], name);
    return tensors;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function typesOf(metadata: readonly PortMetadata[]): ValueTypes {
  const types: Record<string, ValueType> = {};
  for (const port of metadata) {
    types[port.name] = port.isTensor
      ? { dtype: isDtype(port.type) ? port.type : undefined, shape: port.shape }
      : UNKNOWN;
  }
  return types;
}

function fromOrt(value: RuntimeTensor, name: string): Tensor {
  if (value.type === 'string') throw new LabelsmithError('BAD_MODEL', `output ${name} is text`);
  const dtype = value.type as NumericDType;
  const data = value.data as Float32Array;
  if (dtype !== 'float16') return { dtype, data, dims: value.dims };
  // A Float16Array where the runtime knows it: the same bits, seen as 16-bit numbers.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype, data: arrayFromBytes('float16', bytes), dims: value.dims };
}

export class Runner {
  readonly #options: RunnerOptions;
  /** In order of last use. A promise, so that two callers at once make one session. */
  readonly #sessions = new Map<string, Promise<Session>>();

  constructor(options: RunnerOptions = {}) {
    this.#options = options;
  }

  /** The session of `key`, made from what `make` returns when there is none yet. */
  async session(key: string, make: () => Uint8Array | string, settings?: SessionSettings): Promise<Session> {
    let session = this.#sessions.get(key);
    if (session) this.#sessions.delete(key);
    else {
      session = Session.create(make(), { ...this.#options, ...settings });
      session.catch(() => this.#sessions.delete(key));
    }
    this.#sessions.set(key, session);
    const most = this.#options.maxSessions ?? 16;
    for (const [oldest, unused] of this.#sessions) {
      if (this.#sessions.size <= most) break;
      this.#sessions.delete(oldest);
      await (await unused).close();
    }
    return session;
  }

  /** Runs the graph of `key` once. The key must say everything that `make` depends on, shapes included. */
  async run(key: string, make: () => Uint8Array, feeds: Tensors): Promise<Record<string, Tensor>> {
    return (await this.session(key, make)).run(feeds);
  }

  /** Runs a graph that is known by its bytes alone. */
  async runModel(model: Uint8Array, feeds: Tensors): Promise<Record<string, Tensor>> {
    return this.run(createHash('sha256').update(model).digest('hex'), () => model, feeds);
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) await (await session).close();
  }
}
