import { z } from 'zod';
import { checkReportPlace, usualReportPath, writeReport } from '../../report/write.ts';
import { openSources } from '../../stages/add/open-sources.ts';
import { autoIn } from '../../stages/auto/auto.ts';
import { classifierPath } from '../../stages/classify/classify-with.ts';
import { DEFAULT_DETECTOR } from '../../stages/detect/detect-with.ts';
import { checkDiscover } from '../../stages/discover/discover-with.ts';
import { type Context, command } from '../command.ts';
import { printAuto, printAutoPart } from '../print/auto.ts';
import { detectedCounts } from '../print/detected.ts';
import { option, type Values } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { HERE, SOURCES } from './add.ts';
import { DETECT_OPTIONS, type DetectOptions, detectRequest } from './detect-options.ts';
import { CLUSTERS, LEVEL } from './discover.ts';
import { EMBED_OPTIONS } from './embed.ts';

const OWN_OPTIONS = {
  k: CLUSTERS,
  level: LEVEL,
  quality: EMBED_OPTIONS.quality,
  classifier: option(
    '--classifier <name>',
    'label with a classifier of teach rounds as well: its file, or the name of a task taught in this workspace',
    z.string().optional(),
  ),
  report: option(
    '--report <file>',
    'where the report goes (default: labelsmith-report.html beside the workspace; of one in PostgreSQL, under its name in the current folder)',
    z.string().optional(),
  ),
};

export const auto = command({
  name: 'auto',
  summary: 'everything in one go: add, detect, embed, discover, report, with a summary of the classes found',
  details:
    'Objects get regions with classes (task objects); every image gets the cluster it belongs to, named from evidence\n' +
    '(task class), where there are 20 images or more, or --k or --level asks for it. Interrupted or killed, it goes on where it stopped when it is run\n' +
    'again. At its end it says what comes next for this pile.',
  args: { sources: SOURCES },
  options: { ...DETECT_OPTIONS, ...OWN_OPTIONS },
  limit: true,
  examples: [
    ['labelsmith auto ~/photos', 'finds the classes, labels every image, writes a report'],
    ['labelsmith auto ~/photos --classes person,car', 'only these classes'],
    ['labelsmith auto ~/photos --k 30', 'thirty clusters of whole images'],
    ['labelsmith auto ~/photos --level 1', 'few coarse groups; discover --level cuts elsewhere later'],
    ['labelsmith auto ~/photos --classifier parts.onnx', 'labels of your own classes too'],
    ['labelsmith auto ~/photos --limit 200', 'a run on 200 images first'],
  ],
  run: ({ args, options, ...context }) => runAuto(context, args.sources, options),
});

/** @param named the sources, as on the command line */
export function runAuto(
  context: Context,
  named: readonly string[],
  { classifier: wanted, report, k, level, quality, ...asked }: DetectOptions & Partial<Values<typeof OWN_OPTIONS>>,
): Promise<number> {
  keepYoungGenerationSmall();
  checkDiscover({ k, level });
  const { global, output } = context;
  return withWorkspace(
    context,
    async (workspace) => {
      const classifier = wanted === undefined ? undefined : await classifierPath(workspace, wanted);
      const reportPath = report ?? (await usualReportPath(workspace));
      await checkReportPlace(workspace, reportPath);
      const sources = await openSources(workspace, named, HERE);
      const detect = await detectRequest(asked);
      // A detector that was named stays.
      const ofQuality = detect.model === DEFAULT_DETECTOR ? { ...detect, quality } : detect;
      const request = { detect: ofQuality, classifier, k, level, quality };
      const run = context.runOptions();
      const result = await autoIn(workspace, sources, request, {
        ...run,
        onPart(part) {
          run.done();
          printAutoPart(output, part);
        },
      });
      run.done();
      const { added, detected, discovered, classified, images, interrupted } = result;
      const done = images > 0 && !interrupted;
      if (done) output.note('Writing the report…');
      const written = done ? await writeReport(workspace, reportPath, global) : null;
      output.document({
        workspace: workspace.name,
        interrupted,
        added: added.counts,
        detected: detected && detectedCounts(detected),
        discovered: discovered && {
          ...discovered.counts,
          clusters: discovered.clusters,
          levels: discovered.levels,
          levelsBefore: discovered.levelsBefore,
          held: discovered.held,
          asked: discovered.asked,
          askedBefore: discovered.askedBefore,
          range: discovered.range,
        },
        notClustered: result.notClustered,
        classified: classified && { task: classified.task, ...classified.counts },
        report: written?.path ?? null,
        classes: result.classes,
        withoutObjects: result.withoutObjects,
        next: result.next,
      });
      if (images === 0) {
        output.warn(`There is no image in ${named.join(', ')}: nothing was labelled.`);
        return 1;
      }
      printAuto(
        output,
        result,
        { workspace: workspace.name, report: written?.path ?? null, typed: global.workspace },
        { k, level },
      );
      const leftOut =
        added.counts.quarantined + added.counts.stillQuarantined + (detected?.readErrors.quarantined ?? 0);
      return global.strict && leftOut > 0 ? 1 : 0;
    },
    { create: true },
  );
}
