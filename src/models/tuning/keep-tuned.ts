/** Puts an embedder that was trained here among the imported models, so that whatever takes an embedder's name takes it. */
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchFiles } from '../../fetch/fetch.ts';
import { writeWorkspaceFile } from '../../files/atomic.ts';
import { MODEL_ENTRY } from '../bundle.ts';
import { CATALOGUE } from '../catalogue.ts';
import { checkName } from '../import.ts';
import { importedEntry, keepImported } from '../registry.ts';
import type { TunableEmbedder } from './tunable-embedder.ts';

export interface KeepTunedRequest {
  /** What to call it. */
  readonly name: string;
  readonly embedder: TunableEmbedder;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Whose labels it was trained on. */
  readonly task: string;
  /** Where its network is kept, beside the copy in the cache. */
  readonly path: string;
  readonly cacheDir?: string;
}

/** Refuses what cannot be the name of a kept embedder; one of an embedder that was kept before is taken over. */
export async function refuseTunedName(name: string, cacheDir: string = cacheDirectory()): Promise<void> {
  checkName(name);
  const there = await importedEntry(name, cacheDir);
  if (!there || (there.role === 'embedder' && there.tuned)) return;
  throw new LabelsmithError('REFUSED', `${name} is an imported model`, { hint: 'Give another name.' });
}

export async function keepTuned({ name, path, cacheDir = cacheDirectory(), ...what }: KeepTunedRequest): Promise<void> {
  const { entry: base, bytes } = what.embedder.networkWith(what.parameters);
  await writeWorkspaceFile(path, bytes);
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
  await fetchFiles(entry.source.files, { cacheDir, modelName: name });
  await keepImported(entry, cacheDir);
}

/** What an embedder was trained on here, if it was. @param name as `embed --model` takes it */
export async function tunedOn(
  name: string,
  cacheDir: string = cacheDirectory(),
): Promise<{ of: string; task: string } | undefined> {
  for (const part of name.split('+')) {
    if (CATALOGUE.some(({ id }) => id === part)) continue;
    const there = await importedEntry(part, cacheDir);
    if (there?.role === 'embedder' && there.tuned) return there.tuned;
  }
  return undefined;
}
