import { z } from 'zod';
import { FORMATS, formatNamed } from '../../formats/table.ts';
import { recordRun } from '../../jobs/run.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { importLabels } from '../../stages/import/import.ts';
import { command } from '../command.ts';
import { argument, option } from '../values.ts';
import { oneLine, plural } from '../words.ts';

export const importCommand = command({
  name: 'import',
  summary: 'take in labels that somebody has made',
  details: `Formats: ${FORMATS.map(({ name }) => name).join(', ')}. Images are matched by path, by the end of their path, or by their bytes;\nthey have to be added first.`,
  args: {
    format: argument('<format>', 'one of those below', z.string()),
    path: argument('<path>', 'the file or folder', z.string()),
  },
  options: {
    as: option(
      '--as <origin>',
      'whose word it is: human outranks everything (default: what the file says, else imported)',
      z.enum(['human', 'imported']).optional(),
    ),
    task: option(
      '--task <name>',
      'the task (default: what the file says, else class, and objects for boxes)',
      z.string().optional(),
    ),
  },
  examples: [
    ['labelsmith import csv labels.csv --as human', 'file,class rows from a person'],
    ['labelsmith import folders sorted/ --as human', 'a folder for each class'],
    ['labelsmith import coco annotations.json', 'boxes, polygons, keypoints'],
  ],
  async run({ args, options, global, output }) {
    const { path } = args;
    const { as, task } = options;
    const format = formatNamed(args.format);
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store } = workspace;
      const settings = { format: format.name, path, as: as ?? null, task: task ?? null };
      const { summary } = await recordRun(store, { stage: 'import', settings }, global, async (runId) => {
        const summary = await importLabels(store, format.name, path, { as, task }, runId);
        const { matched, unmatched, regions, labels } = summary;
        return { counts: { matched, unmatched, regions, labels }, interrupted: false, summary };
      });
      output.document(summary);
      output.line(
        `Imported ${plural(summary.labels, 'label')} and ${plural(summary.regions, 'region')} for ${plural(summary.matched, 'entry', 'entries')}.`,
      );
      if (summary.matched > 0 && summary.labels + summary.regions + summary.contradictions.length === 0) {
        output.warn('None of them has a class: in a sheet, the column class is still empty.');
      }
      for (const { task: name, keeps, where } of summary.severalClasses) {
        if (keeps === 'last') {
          output.warn(`${oneLine(where)} says another class of an image; the task ${name} keeps one, the last said.`);
        } else {
          output.warn(
            `${oneLine(where)} says another class of an image, so these labels are in the task ${name}, which`,
          );
          output.warn('  keeps them all; --task class keeps the last said of each image.');
        }
      }
      if (summary.contradictions.length > 0) {
        output.warn(
          `The answers for ${plural(summary.contradictions.length, 'item')} contradict each other and were left out:`,
        );
        for (const contradiction of summary.contradictions) output.warn(`  ${oneLine(contradiction)}`);
      }
      for (const unknown of summary.unknownClasses) output.warn(`${oneLine(unknown)} (column not)`);
      if (summary.unmatched > 0) {
        output.warn(`${plural(summary.unmatched, 'entry', 'entries')} matched no image:`);
        for (const where of summary.unmatchedWhere) output.warn(`  ${oneLine(where)}`);
      }
      if (summary.matched === 0) return 1;
      return global.strict && summary.unmatched + summary.contradictions.length > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});
