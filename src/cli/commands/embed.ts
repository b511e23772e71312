import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { type Embedder, type OpenEmbedderOptions, openEmbedder } from '../../models/embedder.ts';
import { type EmbedResult, embedIn, estimateEmbed } from '../../stages/embed/embed.ts';
import { savedRecipe } from '../../stages/embed/recipe.ts';
import type { CommandSpec, Invocation, OptionSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../words.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { printUnread } from './unread.ts';

export const DEFAULT_EMBEDDER = 'mobilenetv3-small';

export const EMBED_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '-m, --model <name>',
    description: `the embedder: see labelsmith models list (default: the one used here before, else ${DEFAULT_EMBEDDER})`,
  },
  {
    flags: '--items <kind>',
    description: 'whole images, or the regions in them',
    choices: ['images', 'regions'],
    default: 'images',
  },
];

export const embed: CommandSpec = {
  usage: 'embed',
  summary: 'a vector for every image or region, for discover, match and similar',
  details:
    'The built-in embedder looks at an image at two sizes; any ONNX image model that was imported can take its place.\n' +
    'A second run does only what is missing. Vectors are Arrow files in the workspace and may be deleted at any time.',
  options: [
    ...EMBED_OPTIONS,
    {
      flags: '--force',
      description: 'make the vectors of this model again; those of images that cannot be read now stay',
      default: false,
    },
  ],
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith embed', 'every image that has no vector yet'],
    ['labelsmith embed --items regions', 'what detect found, each cut out with a margin'],
    ['labelsmith embed --model mobilenetv2', 'a model taken in by labelsmith models import'],
    ['labelsmith embed --dry-run', 'how many, how long, how much disk'],
  ],
  async run(invocation) {
    keepYoungGenerationSmall();
    const { options, global, output } = invocation;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const items = options.items as ItemKind;
      const force = options.force as boolean;
      const model = options.model as string | undefined;
      if (global.dryRun) return await showEmbedEstimate(invocation, workspace, { items, model, force });
      const result = await runEmbed(invocation, workspace, { items, model, force });
      output.document({ interrupted: result.interrupted, space: result.space, ...result.counts });
      printEmbedded(output, result, items);
      if (result.counts.total === 0) return 1;
      return global.strict && result.counts.quarantined > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
};

/** `--dry-run` of this command, and of those that embed first and take little time beside that. */
export async function showEmbedEstimate(
  invocation: Invocation,
  workspace: Workspace,
  { items, model, force }: { readonly items: ItemKind; readonly model?: string; readonly force: boolean },
): Promise<number> {
  const { global, output } = invocation;
  const estimate = await withEmbedder(invocation, workspace, { items, model }, (embedder) =>
    estimateEmbed(workspace, embedder, { ...global, items, force }),
  );
  output.document({ dryRun: true, ...estimate });
  output.line(`${plural(estimate.items, items === 'images' ? 'image' : 'region')} to embed with ${estimate.model}`);
  const { estimatedMs, vectorBytes } = estimate;
  output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(vectorBytes)} of disk`);
  return 0;
}

export async function runEmbed(
  invocation: Invocation,
  workspace: Workspace,
  { items, model, force }: { readonly items: ItemKind; readonly model?: string; readonly force: boolean },
): Promise<EmbedResult> {
  return withEmbedder(invocation, workspace, { items, model }, async (embedder) => {
    const run = invocation.runOptions();
    const result = await embedIn(workspace, embedder, { ...run, items, force });
    run.done();
    return result;
  });
}

async function withEmbedder<T>(
  { global, output, signal }: Invocation,
  { store }: Workspace,
  { items, model }: { readonly items: ItemKind; readonly model?: string },
  work: (embedder: Embedder) => Promise<T>,
): Promise<T> {
  const options = { ...fetchOptionsFor(output, signal), threads: global.threads };
  const saved = model === undefined ? (await savedRecipe(store, items))?.model : undefined;
  const embedder = await (saved === undefined
    ? openEmbedder(model ?? DEFAULT_EMBEDDER, options)
    : openSavedEmbedder(saved, options));
  try {
    return await work(embedder);
  } finally {
    await embedder.close();
  }
}

/** The embedder of a workspace. Nobody named it here, so one that this machine does not have is no wrong usage. */
export async function openSavedEmbedder(name: string, options: OpenEmbedderOptions): Promise<Embedder> {
  try {
    return await openEmbedder(name, options);
  } catch (error) {
    if (!(error instanceof LabelsmithError && error.code === 'USAGE')) throw error;
    throw new LabelsmithError('NOT_FOUND', `This workspace was embedded with ${name}: ${error.message}.`, {
      hint: `labelsmith models import FILE.onnx --name NAME brings a model here; labelsmith embed --model ${DEFAULT_EMBEDDER} embeds anew.`,
      cause: error,
    });
  }
}

/** What `--limit` means where embedding comes first: there is no pilot of what comes after it. */
export function noteLimit({ global, output }: Invocation, { counts }: EmbedResult, items: ItemKind): void {
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
