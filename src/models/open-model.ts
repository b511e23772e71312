/** What opening any model has in common: finding it by name and role, and running it on a pool, one's own or a given one. */
import { pixelTypeOf } from '../core/pillow.ts';
import { LabelsmithError } from '../errors.ts';
import type { Device } from '../onnx/device.ts';
import { InferencePool, type PoolModel } from '../onnx/pool.ts';
import type { Tensors } from '../onnx/session.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { InputSpec, ModelEntry } from './bundle.ts';
import type { PrepareOptions } from './prepare.ts';
import { allEntries, hintOfNames } from './registry.ts';

export interface OpenOptions extends PrepareOptions {
  /** Inference threads; each holds its own copy of the working memory (default: the cores). */
  readonly threads?: number;
  /** What a pool of its own runs on (default `cpu`). */
  readonly device?: Device;
  /** Runs on this pool instead of one of its own, and leaves it open. */
  readonly pool?: InferencePool;
}

export type EntryOf<Role extends ModelEntry['role']> = Extract<ModelEntry, { role: Role }>;

/** How a role is called. */
const ROLES: Readonly<
  Record<ModelEntry['role'], { readonly one: string; readonly several: string; readonly flags?: string }>
> = {
  detector: { one: 'a detector', several: 'detectors' },
  embedder: { one: 'an embedder', several: 'embedders' },
  pose: { one: 'a pose model', several: 'pose models' },
  segmenter: { one: 'a model of masks', several: 'models of masks' },
  reader: { one: 'a reader of words', several: 'readers of words' },
  classifier: { one: 'a classifier', several: 'classifiers', flags: ' --role classifier --class-names FILE' },
};

/** The model of that name, which must have the role; another name is wrong usage. */
export async function findRole<Role extends ModelEntry['role']>(
  name: string,
  role: Role,
  cacheDir?: string,
): Promise<EntryOf<Role>> {
  const entries = await allEntries(cacheDir);
  const entry = entries.find(({ id }) => id === name);
  if (entry?.role === role) return entry as EntryOf<Role>;
  const { one, several, flags } = ROLES[role];
  const wrong = entry ? `model ${name} is ${ROLES[entry.role].one}, not ${one}` : `there is no model named "${name}"`;
  throw new LabelsmithError('USAGE', wrong, {
    hint: hintOfNames(
      name,
      several,
      entries.filter((other) => other.role === role),
      flags,
    ),
  });
}

export interface RunInputs {
  /** Size of the input, where the model takes any. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly feeds?: Tensors;
}

/** A model on a pool. */
export interface Running {
  /** Runs that are worth having under way at once. */
  readonly capacity: number;
  /** `pixels`: shape [images, height, width, 3] of the input, RGB. @param more what is fed besides */
  run(pixels: Uint8Array, more?: RunInputs): Promise<Tensors>;
  close(): Promise<void>;
}

/** Sessions of a model on one device: one computes while the other is given its pixels. Each has its own weights there. */
export const DEVICE_SESSIONS = 2;

function ownPool({ threads, device = 'cpu' }: Pick<OpenOptions, 'threads' | 'device'>): Promise<InferencePool> {
  const most = device === 'cpu' ? threads : Math.min(threads ?? DEVICE_SESSIONS, DEVICE_SESSIONS);
  return InferencePool.create({ threads: most, device });
}

/**
 * Loads a prepared model (a path, or its bytes) into every thread of a pool.
 *
 * @param images in a run
 */
export async function runOnPool(
  source: string | Uint8Array,
  { key, input, images = 1 }: { key: string; input: Pick<InputSpec, 'width' | 'height' | 'pillow'>; images?: number },
  options: Pick<OpenOptions, 'threads' | 'pool' | 'device'>,
): Promise<Running> {
  const pool = options.pool ?? (await ownPool(options));
  const dtype = pixelTypeOf(input.pillow);
  let model: PoolModel;
  try {
    model = await pool.load(source, { key });
  } catch (error) {
    if (!options.pool) await pool.close();
    throw error;
  }
  return {
    capacity: pool.capacity,
    run: (bytes, { size = input, feeds = {} } = {}) => {
      const dims = [images, size.height, size.width, 3];
      const pixels: Tensor =
        dtype === 'uint8'
          ? { dtype, data: bytes, dims }
          : { dtype, data: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), dims };
      return pool.run(model, { ...feeds, pixels });
    },
    close: () => (options.pool ? pool.unload(model) : pool.close()),
  };
}
