/** `match --dry-run`: which references there are, what is compared with them, and how long that takes. Writes nothing. */
import { relative, sep } from 'node:path';
import { labelsByOrigin } from '../../corpus/counts.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Source } from '../../sources/source.ts';
import { estimatePictures } from '../embed/embed.ts';
import { requireRecipe } from '../embed/recipe.ts';
import { openSavedEmbedder } from '../embed/saved-embedder.ts';

export interface MatchEstimate {
  /** Images with a vector, which are looked at. */
  readonly images: number;
  /** By name of the folder: how many files; whether each can be read turns out later. Empty where classes are words. */
  readonly references: Readonly<Record<string, number>>;
  /** Files in no class's folder, which are left out. */
  readonly outside: number;
  /** References of earlier runs, which count too. */
  readonly kept: number;
  /** Labels of earlier matching, which give way to the new ones. */
  readonly replaced: number;
  /** Of embedding the references; comparing comes after it and takes seconds in 100,000 images. */
  readonly estimatedMs: number;
}

/** @param source of the references; null where the classes are words */
export async function estimateMatch(
  workspace: Workspace,
  source: Source | null,
  { task, replace, limit, ...run }: RunOptions & { readonly task: string; readonly replace: boolean },
): Promise<MatchEstimate> {
  const { store } = workspace;
  const recipe = await requireRecipe(store, 'images');
  const all = (await store.vectorShards(recipe.space, 'images')).reduce((sum, { count }) => sum + count, 0);
  const references: Record<string, number> = Object.create(null);
  let [files, outside] = [0, 0];
  if (source) {
    for await (const item of source.list()) {
      if (item.kind === 'problem') continue;
      const [className, ...rest] = relative(source.root, item.entry.path).split(sep);
      if (className === undefined || rest.length === 0) outside++;
      else {
        references[className] = (references[className] ?? 0) + 1;
        files++;
      }
    }
  }
  const kept = replace || !source ? 0 : (await store.references(task, recipe.space)).length;
  if (source && files + kept === 0) {
    throw new LabelsmithError('NOT_FOUND', `There are no reference images in ${source.root}.`, {
      hint: 'Make a folder for each class in it, with one picture or more in each.',
    });
  }
  return {
    images: Math.min(all, limit ?? all),
    references,
    outside,
    kept,
    replaced: (await labelsByOrigin(store, task)).reference ?? 0,
    estimatedMs: files === 0 ? 0 : await timeOf(workspace, recipe.model, files, run.threads),
  };
}

async function timeOf(workspace: Workspace, model: string, files: number, threads: number): Promise<number> {
  const embedder = await openSavedEmbedder(workspace, model, { threads });
  try {
    // References are embedded one after another.
    return await estimatePictures(embedder, files, 1);
  } finally {
    await embedder.close();
  }
}
