/** Puts a detector that was taught classes where `models import` puts models: its file in the cache, its entry beside. */
import { sha256Hex } from '../../../core/ids.ts';
import { LabelsmithError } from '../../../errors.ts';
import { cacheDirectory } from '../../../fetch/cache.ts';
import type { ModelEntry } from '../../bundle.ts';
import { checkName } from '../../import.ts';
import { importedEntry } from '../../registry.ts';
import { adoptTaught } from '../adopt-taught.ts';
import type { ExtendedDetector } from './tunable-detector.ts';

export interface TaughtDetector extends ExtendedDetector {
  /** Absolute path of the network's file. */
  readonly file: string;
  /** One line. */
  readonly description: string;
}

/** Takes the place of what the same file was before; another model of that name is left alone, which is an error. */
export async function addDetector(
  { entry, network, file, description }: TaughtDetector,
  cacheDir: string = cacheDirectory(),
): Promise<ModelEntry> {
  await refuseTaken(entry.id, file, cacheDir);
  const reference = `file:${file}`;
  const files = [{ reference, sha256: sha256Hex(network), byteSize: network.byteLength }];
  const kept = { ...entry, description, source: { files, converter: 'onnx' as const } };
  await adoptTaught(kept, cacheDir);
  return kept;
}

/** Fails where a detector of that file could not have the name. */
export async function refuseTaken(id: string, file: string, cacheDir: string = cacheDirectory()): Promise<void> {
  checkName(id);
  const there = await importedEntry(id, cacheDir);
  if (!there || there.source.files[0]?.reference === `file:${file}`) return;
  throw new LabelsmithError('REFUSED', `another model has the name ${id}`, {
    hint: 'Give another name with --name.',
  });
}
