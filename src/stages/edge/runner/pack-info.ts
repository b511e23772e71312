/**
 * What an edge pack says of itself, in its `pack.json`. Everything in `runner/` runs on the device, where nothing of this
 * project but the modules that it imports is there: no zod, no store.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AcceptRules } from '../../../corpus/accept.ts';
import { LabelsmithError, messageOf } from '../../../errors.ts';
import type { PixelsInput } from '../../../images/pixels-for.ts';

export const PACK_FORMAT = 'labelsmith-edge';
export const PACK_VERSION = 1;

export type Precision = 'float32' | 'float16';

export interface GoldenOutput {
  readonly name: string;
  /** Of floats of 32 bits, little-endian. */
  readonly file: string;
  readonly shape: readonly number[];
}

interface PackedParts {
  /** Says what labels are made by: `centernet@0123456789abcdef`. */
  readonly key: string;
  readonly task: string;
  readonly classNames: readonly string[];
  readonly input: PixelsInput;
  /** Paths in the pack. `float16` is not there where it cannot be made. */
  readonly files: { readonly float32: string; readonly float16?: string };
  readonly golden: { readonly pixels: string; readonly outputs: readonly GoldenOutput[] };
  /** Why there is no half precision. */
  readonly noFloat16?: string;
  /** The largest difference between the outputs in half and single precision, see `difference.ts`. */
  readonly float16Difference?: number;
}

export type PackedModel =
  | (PackedParts & { readonly kind: 'classifier'; readonly threshold: number })
  | (PackedParts & { readonly kind: 'detector'; readonly rules: AcceptRules });

export interface PackInfo {
  readonly format: typeof PACK_FORMAT;
  readonly version: typeof PACK_VERSION;
  readonly labelsmith: string;
  readonly models: readonly PackedModel[];
  /** SHA-256 of every other file of the pack, by path. */
  readonly files: Readonly<Record<string, string>>;
}

export async function readPackInfo(folder: string): Promise<PackInfo> {
  const path = join(folder, 'pack.json');
  try {
    const info: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isPackInfo(info)) return info;
  } catch (cause) {
    throw new LabelsmithError('BAD_FILE', `${path} cannot be read: ${messageOf(cause)}`, { hint: HINT, cause });
  }
  throw new LabelsmithError('BAD_FILE', `${path} is of no edge pack that this version knows`, { hint: HINT });
}

const HINT = 'Name the folder that the archive of labelsmith edge pack was unpacked into.';

function isPackInfo(value: unknown): value is PackInfo {
  if (typeof value !== 'object' || value === null || !('format' in value) || !('version' in value)) return false;
  return value.format === PACK_FORMAT && value.version === PACK_VERSION && 'models' in value && 'files' in value;
}
