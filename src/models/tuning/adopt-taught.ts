/** Puts a model that was trained elsewhere among the imported models, so that whatever takes a model's name takes it. */
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchFiles } from '../../fetch/fetch.ts';
import type { ModelEntry } from '../bundle.ts';
import { keepImported } from '../registry.ts';

/** @param entry its files' references are paths of this machine */
export async function adoptTaught(entry: ModelEntry, cacheDir: string = cacheDirectory()): Promise<void> {
  await fetchFiles(entry.source.files, { cacheDir, modelName: entry.id });
  await keepImported(entry, cacheDir);
}
