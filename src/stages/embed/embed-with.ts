/**
 * `embed` as a whole: the embedder that was asked for, else that of the workspace, else the best that can be had. A workspace
 * keeps its embedder until another is asked for, and its images and regions have the same one where nobody says otherwise.
 */
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Quality } from '../../models/choose-embedder.ts';
import type { Embedder } from '../../models/embedder.ts';
import { type EmbedEstimate, type EmbedResult, embedIn, estimateEmbed } from './embed.ts';
import { savedRecipe } from './recipe.ts';
import { openSavedEmbedder } from './saved-embedder.ts';

export interface EmbedRequest {
  readonly items: ItemKind;
  /** Name of an embedder, or of two: `a+b`. Default: that of the workspace, else the best that can be had. */
  readonly model?: string;
  /** In place of a name: the best that can be had of this quality, whatever the workspace has. */
  readonly quality?: Quality;
  /** Makes the vectors of this model again. Default false. */
  readonly force?: boolean;
}

export function embedWith(workspace: Workspace, request: EmbedRequest, run: RunOptions): Promise<EmbedResult> {
  const { items, force } = request;
  return withEmbedder(workspace, request, run.threads, (embedder, because) =>
    embedIn(workspace, embedder, { ...run, items, force, because }),
  );
}

/** How many, how long, how much disk; writes nothing. */
export function estimateEmbedWith(
  workspace: Workspace,
  request: EmbedRequest,
  run: RunOptions,
): Promise<EmbedEstimate> {
  const { items, force } = request;
  return withEmbedder(workspace, request, run.threads, (embedder) =>
    estimateEmbed(workspace, embedder, { ...run, items, force }),
  );
}

async function withEmbedder<T>(
  workspace: Workspace,
  request: EmbedRequest,
  threads: number,
  work: (embedder: Embedder, because: string | undefined) => Promise<T>,
): Promise<T> {
  const { embedder, because } = await openEmbedderFor(workspace, request, threads);
  try {
    return await work(embedder, because);
  } finally {
    await embedder.close();
  }
}

/** The embedder of a request, open; whoever asks closes it. */
export async function openEmbedderFor(
  workspace: Workspace,
  request: EmbedRequest,
  threads: number,
): Promise<{ readonly embedder: Embedder; readonly because: string | undefined }> {
  const { name, because, saved } = await embedderFor(workspace, request);
  const embedder = await (saved
    ? openSavedEmbedder(workspace, name, { threads })
    : workspace.models.openEmbedder(name, { threads }));
  return { embedder, because };
}

interface Wanted {
  readonly name: string;
  /** Why, where nobody named it. */
  readonly because?: string;
  /** Whether the workspace has it already, so that nobody named it in this call. */
  readonly saved: boolean;
}

async function embedderFor({ store, models }: Workspace, { items, model, quality }: EmbedRequest): Promise<Wanted> {
  if (model !== undefined && quality !== undefined) {
    throw new LabelsmithError('USAGE', 'Give --model or --quality, not both.', {
      hint: '--model names an embedder; --quality takes the best that can be had.',
    });
  }
  if (model !== undefined) return { name: model, saved: false };
  if (quality === undefined) {
    const other = items === 'images' ? 'regions' : 'images';
    const recipe = (await savedRecipe(store, items)) ?? (await savedRecipe(store, other));
    if (recipe) return { name: recipe.model, because: recipe.because, saved: true };
  }
  const { id, because } = await models.chooseEmbedder(quality);
  return { name: id, because, saved: false };
}
