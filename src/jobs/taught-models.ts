/** Detectors and embedders that were taught in a workspace in PostgreSQL, by their names, on machines that did not teach them. */
import type { ModelEntry } from '../models/bundle.ts';
import type { Models } from '../models/models.ts';
import { readSetting } from '../store/typed.ts';
import type { Workspace } from './stage.ts';
import { TAUGHT, type TaughtFile, taughtFile, taughtPath } from './taught-files.ts';

type Place = Pick<Workspace, 'dir' | 'location' | 'store' | 'blobs'>;

/** Models that know what was taught in the workspace too: it is brought here when its name is asked for. */
export function withTaughtModels(models: Models, workspace: Place): Models {
  const bring = (name: string) => bringTaught(models, workspace, name);
  return {
    ...models,
    imported: async (name) => bring(name).then(() => models.imported(name)),
    openDetector: async (name, options) => bring(name).then(() => models.openDetector(name, options)),
    openEmbedder: async (name, options) => bring(name).then(() => models.openEmbedder(name, options)),
    prepareEmbedder: async (name) => bring(name).then(() => models.prepareEmbedder(name)),
    tunableEmbedder: async (name) => bring(name).then(() => models.tunableEmbedder(name)),
    tunableDetector: async (name, anew) => bring(name).then(() => models.tunableDetector(name, anew)),
    openTextEncoder: async (name, options) => bring(name).then(() => models.openTextEncoder(name, options)),
    knowsWords: async (name) => bring(name).then(() => models.knowsWords(name)),
  };
}

async function bringTaught(models: Models, workspace: Place, name: string): Promise<void> {
  const taught = Object.entries((await readSetting(workspace.store, TAUGHT)) ?? {});
  for (const part of name.split('+')) {
    const found = taught.find(([, { entry }]) => entry?.id === part);
    if (found) await adoptHere(models, workspace, ...found);
  }
}

async function adoptHere(models: Models, workspace: Place, file: string, { sha256, entry }: TaughtFile): Promise<void> {
  if (entry === undefined) return;
  const there = await models.imported(entry.id);
  const reference = `file:${taughtPath(workspace, file)}`;
  const [first] = there?.source.files ?? [];
  // Another model that has the name here stays: what it makes is told apart by its key.
  if (there && (first?.sha256 === sha256 || first?.reference !== reference)) return;
  const path = await taughtFile(workspace, file);
  if (path !== undefined) await models.adopt(entryAt(entry, path));
}

/** The entry of a network of one file that is at a path of this machine. */
export function entryAt(entry: ModelEntry, path: string): ModelEntry {
  const files = entry.source.files.map((one) => ({ ...one, reference: `file:${path}` }));
  return { ...entry, source: { ...entry.source, files } };
}

/** What the models of this machine make of a file in the folder of a workspace: its entry, if it is of one. */
export async function entryOfFile(models: Models, path: string): Promise<ModelEntry | undefined> {
  const name = (path.split(/[/\\]/).at(-1) ?? '').replace(/(?:\.embedder)?\.onnx$/, '');
  const entry = /^[\w.-]+$/.test(name) ? await models.imported(name) : undefined;
  return entry?.source.files[0]?.reference === `file:${path}` ? entry : undefined;
}
