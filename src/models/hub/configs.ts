/** The files of a hub model that say what it is, checked as far as they are read. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import { type FetchOptions, fetchFiles } from '../../fetch/fetch.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';

const whole = z.int().min(1);
const TOWER = z.object({
  hidden_size: whole.optional(),
  projection_dim: whole.optional(),
  image_size: z.union([whole, z.array(whole)]).optional(),
  max_position_embeddings: whole.optional(),
  pad_token_id: z.int().min(0).nullish(),
  eos_token_id: z.int().min(0).nullish(),
});

export const MODEL_CONFIG = TOWER.extend({
  model_type: z.string(),
  vision_config: TOWER.optional(),
  text_config: TOWER.optional(),
  id2label: z.record(z.string(), z.string()).optional(),
});
export type ModelConfig = Readonly<z.infer<typeof MODEL_CONFIG>>;

export const TOKENIZER_CONFIG = z.object({
  model_max_length: z.number().optional(),
  pad_token: z.union([z.string(), z.object({ content: z.string() })]).nullish(),
  eos_token: z.union([z.string(), z.object({ content: z.string() })]).nullish(),
});

/** One of the files of a listing, wherever it lies in it; undefined where there is none. */
export function fileNamed({ files }: Listing, name: string): ListedFile | undefined {
  return files.find(({ path }) => path === name) ?? files.find(({ path }) => path.endsWith(`/${name}`));
}

/** Fetches and reads a JSON file of a listing. */
export async function readConfig<S extends z.ZodType>(
  listing: Listing,
  name: string,
  schema: S,
  options: FetchOptions,
): Promise<z.output<S>> {
  const file = fileNamed(listing, name);
  if (!file) {
    throw new LabelsmithError('UNSUPPORTED', `${listing.name} has no ${name}`, {
      hint: 'Models of the hub are known by that file. A bare ONNX file is taken by labelsmith models import FILE.onnx.',
    });
  }
  const [fetched] = await fetchFiles([sourceOf(file)], options);
  const value = jsonOf(await readFile(fetched?.path ?? '', 'utf8'));
  if (value === undefined)
    throw new LabelsmithError('BAD_MODEL', `${name} of ${listing.name} is no JSON`, {
      hint: 'The file is damaged or cut off: fetch it again.',
    });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LabelsmithError(
    'BAD_MODEL',
    `${name} of ${listing.name} is not of the form that is known: ${issue?.path.join('.') || 'it'} ${issue?.message ?? ''}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function sourceOf({ reference, sha256, byteSize, gitBlob }: ListedFile) {
  return {
    reference,
    ...(sha256 ? { sha256 } : {}),
    ...(byteSize ? { byteSize } : {}),
    ...(gitBlob ? { gitBlob } : {}),
  };
}
