import { resolve } from 'node:path';
import { z } from 'zod';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { checkReportPlace, writeReport } from '../../report/write.ts';
import { addTo } from '../../stages/add/add.ts';
import { openSources } from '../../stages/add/open-sources.ts';
import type { DiscoverResult } from '../../stages/discover/options.ts';
import { type Context, command } from '../command.ts';
import { option, type Values } from '../values.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { addExitCode, HERE, printAdded, SOURCES } from './add.ts';
import { CLASSIFIER, classifierPath, printClassified, runClassify } from './classify.ts';
import { isUnreadIn, printDetected, runDetect, shapeCounts } from './detect.ts';
import { DETECT_OPTIONS, type DetectOptions } from './detect-options.ts';
import { printClusters, printHowClustered, runDiscover } from './discover.ts';
import { runEmbed } from './embed.ts';

const CLASSES_SHOWN = 20;
const CLUSTERS_SHOWN = 10;
const LEAST_TO_CLUSTER = 20;

const OPTIONS = {
  ...DETECT_OPTIONS,
  classifier: CLASSIFIER,
  report: option(
    '--report <file>',
    'where the report goes (default: labelsmith-report.html beside the workspace)',
    z.string().optional(),
  ),
};

export const auto = command({
  name: 'auto',
  summary: 'everything in one go: add, detect, embed, discover, report, with a summary of the classes found',
  details:
    'Objects get regions with classes (task objects); every image gets the cluster it belongs to, named from evidence\n' +
    '(task class). Interrupted or killed, it goes on where it stopped when it is run again.',
  args: { sources: SOURCES },
  options: OPTIONS,
  limit: true,
  examples: [
    ['labelsmith auto ~/photos', 'finds the classes, labels every image, writes a report'],
    ['labelsmith auto ~/photos --classes person,car', 'only these classes'],
    ['labelsmith auto ~/photos --classifier parts.onnx', 'labels of your own classes too'],
    ['labelsmith auto ~/photos --limit 200', 'a pilot on 200 images'],
  ],
  run: ({ args, options, ...context }) => runAuto(context, args.sources, options),
});

type AutoOptions = DetectOptions & Partial<Values<Pick<typeof OPTIONS, 'classifier' | 'report'>>>;

export async function runAuto(context: Context, named: readonly string[], options: AutoOptions): Promise<number> {
  keepYoungGenerationSmall();
  const { global, output, signal } = context;
  const { classifier: wanted, report, ...detectOptions } = options;
  const workspace = await openWorkspace(global.workspace, { create: true, device: global.device });
  try {
    const classifier = wanted === undefined ? null : await classifierPath(wanted, workspace.dir);
    const reportPath = report ?? resolve(workspace.dir, '..', 'labelsmith-report.html');
    await checkReportPlace(workspace, reportPath);
    const sources = await openSources(workspace, named, HERE);
    const run = context.runOptions();
    const added = await addTo(workspace, sources, { ...run, sync: false });
    run.done();
    printAdded(output, added);
    const nothing = addExitCode(context, added, await workspace.store.countImages());
    if (signal.aborted || nothing !== 0) {
      output.document({ workspace: workspace.dir, interrupted: signal.aborted, added: added.counts });
      return nothing;
    }
    const detected = await runDetect(context, workspace, detectOptions, { force: false, task: 'objects' });
    printDetected(output, detected);
    const discovered = signal.aborted ? null : await discoverClasses(context, workspace);
    const classified = classifier === null || signal.aborted ? null : await runClassify(context, workspace, classifier);
    if (classified) printClassified(output, classified);
    if (!signal.aborted) output.note('Writing the report…');
    const written = signal.aborted ? null : await writeReport(workspace, reportPath, global);
    await summarise(context, workspace, {
      added: added.counts,
      detected: { ...detected.counts, ...shapeCounts(detected) },
      discovered: discovered && { ...discovered.counts, clusters: discovered.clusters },
      classified: classified && { task: classified.task, ...classified.counts },
      report: written?.path ?? null,
    });
    return global.strict && isUnreadIn(detected) ? 1 : 0;
  } finally {
    await workspace.close();
  }
}

/** Clusters of whole images; too few images have none that would say anything. */
async function discoverClasses(context: Context, workspace: Workspace): Promise<DiscoverResult | null> {
  const { output, signal } = context;
  if ((await workspace.store.countImages()) < LEAST_TO_CLUSTER) return null;
  const items = 'images';
  const embedded = await runEmbed(context, workspace, { items, model: undefined, force: false });
  if (signal.aborted || embedded.counts.total < LEAST_TO_CLUSTER) return null;
  const choices = { items, task: 'class', recluster: false } as const;
  const result = await runDiscover(context, workspace, choices);
  printHowClustered(output, result);
  output.line(`Grouped ${plural(result.counts.items, 'image')} into ${plural(result.counts.clusters, 'cluster')}.`);
  return result;
}

async function summarise({ output, signal }: Context, { dir, store }: Workspace, parts: Record<string, unknown>) {
  const classes = (await store.classes())
    .map(({ name, counts }) => {
      const of = (items: string) => counts.find((count) => count.task === 'objects' && count.items === items);
      return {
        name,
        images: of('images')?.count ?? 0,
        regions: of('regions')?.count ?? 0,
        meanConfidence: of('regions')?.meanConfidence ?? 0,
      };
    })
    .filter(({ images, regions }) => images + regions > 0)
    .sort((a, b) => b.regions - a.regions || (a.name < b.name ? -1 : 1));
  output.document({ workspace: dir, interrupted: signal.aborted, ...parts, classes });

  output.line();
  output.line(`Found ${plural(classes.length, 'class', 'classes')}:`);
  const rows = classes
    .slice(0, CLASSES_SHOWN)
    .map(({ name, images, regions, meanConfidence }) => [name, images, regions, formatPercent(meanConfidence, 0)]);
  for (const line of table([['class', 'images', 'regions', 'mean score'], ...rows])) output.line(`  ${line}`);
  if (classes.length > CLASSES_SHOWN) {
    output.line(`  and ${formatCount(classes.length - CLASSES_SHOWN)} more: labelsmith corpus list`);
  }
  const clusters = (parts.discovered as DiscoverResult | null)?.clusters ?? [];
  if (clusters.length > 0) {
    output.line();
    output.line('Clusters of whole images:');
    printClusters(output, clusters, 'images', CLUSTERS_SHOWN);
  }
  output.line();
  if (parts.report) output.line(`Report:    ${parts.report}`);
  output.line(`Workspace: ${dir}`);
  output.line('Next:      labelsmith export coco OUT · labelsmith export crops OUT · labelsmith status');
}
