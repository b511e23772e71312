/** `embed` as a whole: the embedder that was asked for, else that of the workspace, else the default one. */
import type { ItemKind } from '../../core/labels.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Embedder } from '../../models/embedder.ts';
import { type EmbedEstimate, type EmbedResult, embedIn, estimateEmbed } from './embed.ts';
import { savedRecipe } from './recipe.ts';
import { DEFAULT_EMBEDDER, openSavedEmbedder } from './saved-embedder.ts';

export interface EmbedRequest {
  readonly items: ItemKind;
  /** Name of an embedder, or of two: `a+b`. Default: that of the workspace, else {@link DEFAULT_EMBEDDER}. */
  readonly model?: string;
  /** Makes the vectors of this model again. Default false. */
  readonly force?: boolean;
}

export function embedWith(workspace: Workspace, request: EmbedRequest, run: RunOptions): Promise<EmbedResult> {
  const { items, force } = request;
  return withEmbedder(workspace, request, run.threads, (embedder) =>
    embedIn(workspace, embedder, { ...run, items, force }),
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
  { items, model }: EmbedRequest,
  threads: number,
  work: (embedder: Embedder) => Promise<T>,
): Promise<T> {
  const saved = model === undefined ? (await savedRecipe(workspace.store, items))?.model : undefined;
  const embedder = await (saved === undefined
    ? workspace.models.openEmbedder(model ?? DEFAULT_EMBEDDER, { threads })
    : openSavedEmbedder(workspace, saved, { threads }));
  try {
    return await work(embedder);
  } finally {
    await embedder.close();
  }
}
