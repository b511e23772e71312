import { z } from 'zod';
import type { ItemKind } from '../../core/labels.ts';
import { hypernymsOf } from '../../corpus/hypernyms.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { openImageClassifier } from '../../models/image-classifier.ts';
import { discoverIn } from '../../stages/discover/discover.ts';
import { METHODS, type Method } from '../../stages/discover/hierarchy.ts';
import type { DiscoverResult } from '../../stages/discover/options.ts';
import { type Context, command } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { clusterCount, wholeNumber } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';
import { EMBED_OPTIONS, noteLimit, printEmbedded, runEmbed, showEmbedEstimate } from './embed.ts';
import { printUnread } from './unread.ts';

const CLUSTERS_SHOWN = 40;
const EVIDENCE_SHOWN = 2;

export const discover = command({
  name: 'discover',
  summary: 'find classes with nobody labelling: clusters, with names proposed from evidence',
  details:
    'Embeds what has no vector yet, clusters it, and labels every item with its cluster (origin: cluster, which yields to\n' +
    'every other). A name is proposed only with evidence for it: what detectors saw, words of paths, keywords in files,\n' +
    'labels there are; with none the class is unnamed-N. Images added later get the cluster of their neighbours; clusters\n' +
    'stay as they are until --recluster. With --limit N at most N are embedded now and all that are embedded are\n' +
    'clustered: a pilot, whose clusters are made again when more are embedded.',
  options: {
    ...EMBED_OPTIONS,
    k: option('--k <n>', 'clusters, or auto (default: as before here, else auto)', clusterCount().optional()),
    level: option(
      '--level <n>',
      'cut the tree at one of the levels it suggests, 1 the coarsest (in place of --k)',
      wholeNumber(1).optional(),
    ),
    method: option(
      '--method <name>',
      'how to cluster (default: as before here, else graph)',
      z.enum(METHODS).optional(),
    ),
    task: option('--task <name>', 'the task that gets the labels', z.string().default('class')),
    classifier: option(
      '--classifier <model>',
      'an imported classifier that votes on names of new clusters',
      z.string().optional(),
    ),
    recluster: flag('--recluster', 'cluster everything again'),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith discover', 'as many clusters as the data suggests'],
    ['labelsmith discover --k 30', 'cuts the same tree elsewhere: nothing is embedded again'],
    ['labelsmith discover --level 1', 'the coarsest of the levels that the last run named'],
    ['labelsmith discover --method density', 'leaves out what belongs to no cluster'],
    ['labelsmith discover --items regions --task parts', 'what detect found, in kinds'],
  ],
  async run({ options, ...context }) {
    const { global, output, signal } = context;
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      const { items, model, ...choices } = options;
      if (global.dryRun) {
        output.note('Nearly all of the time is embedding; clustering comes after it.');
        return await showEmbedEstimate(context, workspace, { items, model, force: false });
      }
      if (options.level !== undefined && options.k !== undefined) {
        throw new LabelsmithError('USAGE', 'Give --k or --level, not both.');
      }
      const embedded = await runEmbed(context, workspace, { items, model, force: false });
      if (embedded.counts.embedded > 0) printEmbedded(output, embedded, items);
      else printUnread(output, embedded.counts);
      noteLimit(context, embedded, items);
      if (signal.aborted || embedded.counts.total === 0) {
        output.document({ interrupted: signal.aborted, embedded: embedded.counts, clusters: [] });
        if (!signal.aborted) output.line(`No ${items} to cluster here.`);
        return 1;
      }
      const result = await runDiscover(context, workspace, { items, ...choices });
      const { counts, metrics: _, ...told } = result;
      output.document({ ...counts, ...told, embedded: embedded.counts });
      printDiscovered(output, result, items);
      return global.strict && embedded.counts.quarantined > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

export interface DiscoverChoices {
  readonly items: ItemKind;
  readonly task: string;
  readonly k?: number | 'auto';
  readonly level?: number;
  readonly method?: Method;
  readonly recluster: boolean;
  /** Name of a model. */
  readonly classifier?: string;
}

export async function runDiscover(
  context: Context,
  workspace: Workspace,
  choices: DiscoverChoices,
): Promise<DiscoverResult> {
  const { output, signal, global } = context;
  const { classifier: named, ...rest } = choices;
  const fetching = { ...fetchOptionsFor(output, signal), threads: global.threads, device: global.device };
  const classifier = named === undefined ? undefined : await openImageClassifier(named, fetching);
  try {
    const run = context.runOptions();
    const result = await discoverIn(workspace, {
      ...run,
      ...rest,
      classifier,
      hypernymsOf: (name) => hypernymsOf(wordNet(), name),
    });
    run.done();
    return result;
  } finally {
    await classifier?.close();
  }
}

/** Why there are other clusters than before, and whether these will last. */
export function printHowClustered(output: Output, { because, pilot }: DiscoverResult): void {
  if (because !== null) output.line(`Clustered again: ${because}.`);
  if (pilot) output.line('These are clusters of a pilot (--limit): when more is embedded they are made again.');
}

/** The largest clusters with what speaks for their names. */
export function printClusters(
  output: Output,
  clusters: DiscoverResult['clusters'],
  items: ItemKind,
  most = CLUSTERS_SHOWN,
): void {
  const rows = clusters.slice(0, most).map(({ name, size, candidates }) => {
    const best = candidates.slice(0, EVIDENCE_SHOWN).map((candidate) => {
      const parts = candidate.evidence.map(({ source, count, of, kinds }) => {
        const such = kinds ? `: ${kinds.join(', ')}` : '';
        return `${source} ${count}/${of}${such}`;
      });
      return `${candidate.name} ${formatPercent(candidate.score, 0)} (${parts.join(', ')})`;
    });
    return [name, size, best.join(' · ')];
  });
  for (const line of table([['class', items, 'evidence for names'], ...rows])) output.line(`  ${line}`);
  if (clusters.length > most) output.line(`  and ${formatCount(clusters.length - most)} more`);
}

export function printDiscovered(output: Output, result: DiscoverResult, items: ItemKind): void {
  const { counts, clustered, clusters, levels, retired, outliers, duplicates } = result;
  const what = items === 'images' ? 'image' : 'region';
  printHowClustered(output, result);
  const made = clustered ? 'Found' : 'Kept';
  const classes = clusters.length < counts.clusters ? ` (${plural(clusters.length, 'class', 'classes')} by now)` : '';
  output.line(
    `${made} ${plural(counts.clusters, 'cluster')}${classes} in ${plural(counts.items, what)}; ${formatCount(counts.assigned)} labelled now.`,
  );
  if (counts.none > 0) output.line(`${plural(counts.none, what)} belong to none of them.`);
  printClusters(output, clusters, items);
  if (levels.length > 1) {
    const numbers = levels.map((k, i) => `${i + 1}: ${k}`).join(', ');
    output.line(`Clusters at each level of the tree: ${numbers} (labelsmith discover --level N).`);
  }
  if (retired.length > 0) output.line(`Empty classes of the clustering before are gone: ${retired.length}.`);
  if (outliers && outliers.count > 0) {
    output.line(`${plural(outliers.count, what)} standing apart from all others, first ${outliers.first[0]?.path}.`);
  }
  if (duplicates && duplicates.count > 0) {
    const { a, b } = duplicates.first[0] as { a: string; b: string };
    output.line(`${plural(duplicates.count, 'pair')} nearly alike, first ${a} and ${b}.`);
  }
}
