/** Puts an embedder that was trained here among the imported models, so that whatever takes an embedder's name takes it. */
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { cacheDirectory } from '../../fetch/cache.ts';
import { MODEL_ENTRY, type ModelEntry } from '../bundle.ts';
import { CATALOGUE } from '../catalogue.ts';
import { checkName } from '../import.ts';
import { importedEntry } from '../registry.ts';
import { adoptTaught } from './adopt-taught.ts';
import type { TunableEmbedder } from './tunable-embedder.ts';

export interface KeepTunedRequest {
  /** What to call it. */
  readonly name: string;
  readonly embedder: TunableEmbedder;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Whose labels it was trained on. */
  readonly task: string;
  /** Keeps its network, beside the copy in the cache, and gives the path. */
  readonly keep: (network: Uint8Array) => Promise<string>;
  readonly cacheDir?: string;
}

/**
 * Refuses what cannot be the name of a kept embedder. One that was kept before from the same workspace and task gives way; every
 * other model keeps its name, since the cache is shared by all workspaces.
 */
export async function refuseTunedName(
  name: string,
  { path, task }: { readonly path: string; readonly task: string },
  cacheDir: string = cacheDirectory(),
): Promise<void> {
  checkName(name, '--keep-embedder');
  const there = await importedEntry(name, cacheDir);
  if (!there) return;
  const tuned = there.role === 'embedder' ? there.tuned : undefined;
  if (tuned?.task === task && there.source.files[0]?.reference === `file:${path}`) return;
  const what = tuned
    ? `an embedder that was kept from ${tuned.task === task ? 'another workspace' : `the task ${tuned.task}`}`
    : 'an imported model';
  throw new LabelsmithError('REFUSED', `${name} is ${what}`, { hint: 'Give another name with --keep-embedder.' });
}

/** @returns its network, and what its name means from now on */
export async function keepTuned({
  name,
  keep,
  cacheDir = cacheDirectory(),
  ...what
}: KeepTunedRequest): Promise<{ readonly network: Uint8Array; readonly entry: ModelEntry }> {
  const { entry: base, bytes } = what.embedder.networkWith(what.parameters);
  const path = await keep(bytes);
  const { stated: _, measured: __, graphs: ___, pairing: ____, votes: _____, ...rest } = base;
  const entry = MODEL_ENTRY.parse({
    ...rest,
    id: name,
    description: `${base.id}, fine-tuned on labels of the task ${what.task}`,
    source: {
      files: [{ reference: `file:${path}`, sha256: sha256Hex(bytes), byteSize: bytes.length }],
      converter: 'onnx',
    },
    tuned: { of: base.id, task: what.task },
  });
  await adoptTaught(entry, cacheDir);
  return { network: bytes, entry };
}

/** What an embedder was trained on, if it was. @param name as `embed --model` takes it. @param imported what was imported under a name */
export async function tunedOn(
  name: string,
  imported: (name: string) => Promise<ModelEntry | undefined>,
): Promise<{ of: string; task: string } | undefined> {
  for (const part of name.split('+')) {
    if (CATALOGUE.some(({ id }) => id === part)) continue;
    const there = await imported(part);
    if (there?.role === 'embedder' && there.tuned) return there.tuned;
  }
  return undefined;
}
