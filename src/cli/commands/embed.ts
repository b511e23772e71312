import { z } from 'zod';
import { ITEM_KINDS, type ItemKind } from '../../core/labels.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import type { Embedder } from '../../models/embedder.ts';
import { type EmbedResult, embedIn, estimateEmbed } from '../../stages/embed/embed.ts';
import { savedRecipe } from '../../stages/embed/recipe.ts';
import { DEFAULT_EMBEDDER, openSavedEmbedder } from '../../stages/embed/saved-embedder.ts';
import { type Context, command } from '../command.ts';
import { modelsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { flag, type OptionTable, option } from '../values.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../words.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { printUnread } from './unread.ts';

export const EMBED_OPTIONS = {
  model: option(
    '-m, --model <name>',
    `the embedder: see labelsmith models list (default: the one used here before, else ${DEFAULT_EMBEDDER})`,
    z.string().optional(),
  ),
  items: option('--items <kind>', 'whole images, or the regions in them', z.enum(ITEM_KINDS).default('images')),
} satisfies OptionTable;

export const embed = command({
  name: 'embed',
  summary: 'a vector for every image or region, for discover, match and similar',
  details:
    'The built-in embedder looks at an image at two sizes; any ONNX image model that was imported can take its place.\n' +
    'A second run does only what is missing. Vectors are Arrow files in the workspace and may be deleted at any time.',
  options: {
    ...EMBED_OPTIONS,
    force: flag('--force', 'make the vectors of this model again; those of images that cannot be read now stay'),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith embed', 'every image that has no vector yet'],
    ['labelsmith embed --items regions', 'what detect found, each cut out with a margin'],
    ['labelsmith embed --model mobilenetv2', 'a model taken in by labelsmith models import'],
    ['labelsmith embed --dry-run', 'how many, how long, how much disk'],
  ],
  async run({ options, ...context }) {
    keepYoungGenerationSmall();
    const { global, output } = context;
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      if (global.dryRun) return await showEmbedEstimate(context, workspace, options);
      const result = await runEmbed(context, workspace, options);
      output.document({ interrupted: result.interrupted, space: result.space, ...result.counts });
      printEmbedded(output, result, options.items);
      if (result.counts.total === 0) return 1;
      return global.strict && result.counts.quarantined > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

/** `--dry-run` of this command, and of those that embed first and take little time beside that. */
export async function showEmbedEstimate(
  context: Context,
  workspace: Workspace,
  { items, model, force }: { readonly items: ItemKind; readonly model?: string; readonly force: boolean },
): Promise<number> {
  const { global, output } = context;
  const estimate = await withEmbedder(context, workspace, { items, model }, (embedder) =>
    estimateEmbed(workspace, embedder, { ...global, items, force }),
  );
  output.document({ dryRun: true, ...estimate });
  output.line(`${plural(estimate.items, items === 'images' ? 'image' : 'region')} to embed with ${estimate.model}`);
  const { estimatedMs, vectorBytes } = estimate;
  output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(vectorBytes)} of disk`);
  return 0;
}

export async function runEmbed(
  context: Context,
  workspace: Workspace,
  { items, model, force }: { readonly items: ItemKind; readonly model?: string; readonly force: boolean },
): Promise<EmbedResult> {
  return withEmbedder(context, workspace, { items, model }, async (embedder) => {
    const run = context.runOptions();
    const result = await embedIn(workspace, embedder, { ...run, items, force });
    run.done();
    return result;
  });
}

async function withEmbedder<T>(
  context: Context,
  { store }: Workspace,
  { items, model }: { readonly items: ItemKind; readonly model?: string },
  work: (embedder: Embedder) => Promise<T>,
): Promise<T> {
  const models = modelsFor(context);
  const { threads } = context.global;
  const saved = model === undefined ? (await savedRecipe(store, items))?.model : undefined;
  const embedder = await (saved === undefined
    ? models.openEmbedder(model ?? DEFAULT_EMBEDDER, { threads })
    : openSavedEmbedder({ models }, saved, { threads }));
  try {
    return await work(embedder);
  } finally {
    await embedder.close();
  }
}

/** What `--limit` means where embedding comes first: there is no pilot of what comes after it. */
export function noteLimit({ global, output }: Context, { counts }: EmbedResult, items: ItemKind): void {
  if (global.limit === undefined) return;
  const what = items === 'images' ? 'image' : 'region';
  output.note(
    `note: --limit ${global.limit} is of what is embedded now, ${plural(counts.embedded, what)}; all ${formatCount(counts.total)} that are embedded take part.`,
  );
}

export function printEmbedded(output: Output, { counts, interrupted }: EmbedResult, items: ItemKind): void {
  const what = items === 'images' ? 'image' : 'region';
  if (counts.embedded + counts.quarantined === 0 && !interrupted) {
    output.line(`Nothing to do: no ${what} is left to embed, of ${formatCount(counts.total)}.`);
    return;
  }
  const before = counts.total - counts.embedded;
  output.line(
    `Embedded ${plural(counts.embedded, what)}${before > 0 ? `, ${plural(counts.total, what)} in all` : ''}.`,
  );
  printUnread(output, counts);
}
