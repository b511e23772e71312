/**
 * What is used of ONNX Runtime's interface, in types of our own: the package is not installed beside this one, and
 * programs that are compiled against the library need none of its types. `test/types/runtime.ts` holds them against it.
 */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: SessionOptions): Promise<RuntimeSession>;
    create(model: Uint8Array, options: SessionOptions): Promise<RuntimeSession>;
  };
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): RuntimeTensor;
    new (type: 'uint8', data: Uint8Array, dims: readonly number[]): RuntimeTensor;
  };
  /** Set before the first session. */
  readonly env: { logLevel?: 'verbose' | 'info' | 'warning' | 'error' | 'fatal' };
  /** The execution providers it knows; `bundled` are those whose libraries are there. */
  listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
}

export interface RuntimeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly PortMetadata[];
  readonly outputMetadata: readonly PortMetadata[];
  run(feeds: Readonly<Record<string, RuntimeTensor>>, fetches: readonly string[]): Promise<RuntimeTensors>;
  release(): Promise<void>;
}

export type RuntimeTensors = Readonly<Record<string, RuntimeTensor>>;

export interface RuntimeTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

export type PortMetadata =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: true;
      readonly type: string;
      /** A text where the model leaves the size open. */
      readonly shape: readonly (number | string)[];
    };

/** As ONNX Runtime names and documents them. */
export interface SessionOptions {
  readonly executionProviders?: readonly string[];
  readonly intraOpNumThreads?: number;
  readonly interOpNumThreads?: number;
  readonly executionMode?: 'sequential' | 'parallel';
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  readonly enableMemPattern?: boolean;
  readonly freeDimensionOverrides?: Readonly<Record<string, number>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}
