import { z } from 'zod';
import { FORMATS, formatNamed } from '../../formats/table.ts';
import { readSmallText } from '../../formats/walk.ts';
import { recordRun } from '../../jobs/run.ts';
import { openWorkspace } from '../../jobs/workspace.ts';
import { CLASS_MODES } from '../../stages/import/classes.ts';
import { importLabels } from '../../stages/import/import.ts';
import { DISAGREEMENT_RULES } from '../../stages/import/votes.ts';
import { command } from '../command.ts';
import { printReckoning } from '../reckoning-text.ts';
import { argument, option } from '../values.ts';
import { formatCount, oneLine, plural } from '../words.ts';

export const importCommand = command({
  name: 'import',
  summary: 'take in labels that somebody has made',
  details: `Formats: ${FORMATS.map(({ name }) => name).join(', ')}. Images are matched by path, by the end of their path, or by their bytes;\nthey have to be added first.`,
  args: {
    format: argument('<format>', 'one of those above', z.string()),
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
    classes: option(
      '--classes <mode>',
      'classes that are not there yet: existing leaves their labels out, ask stops and names them (default: new)',
      z.enum(CLASS_MODES).default('new'),
    ),
    replace: option(
      '--replace',
      'with --as human: the file is the state of its pictures, and what is not in it any more is deleted (default for\nfiles that labelsmith exported)',
      z.boolean().optional(),
    ),
    disagreement: option(
      '--disagreement <rule>',
      'where annotators of one thing disagree: the newest class holds, that of the majority, or all, for review (default: newest)',
      z.enum(DISAGREEMENT_RULES).default('newest'),
    ),
    names: option(
      '--names <a,b>',
      'class names by number, from 0, where the files have only numbers (or a file with a name a line)',
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
    const { as, task, classes, replace, disagreement } = options;
    const classNames = options.names === undefined ? undefined : await namesGiven(options.names);
    const format = formatNamed(args.format);
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store } = workspace;
      const settings = { format: format.name, path, as: as ?? null, task: task ?? null, classes };
      const { summary } = await recordRun(store, { stage: 'import', settings }, global, async (runId) => {
        const summary = await importLabels(
          store,
          format.name,
          path,
          { as, task, classes, classNames, replace, disagreement, strict: global.strict },
          runId,
        );
        const { matched, unmatched, regions, labels, reckoning } = summary;
        const counts = { matched, unmatched, regions, labels };
        return { counts, metrics: { reckoning }, interrupted: false, summary };
      });
      output.document(summary);
      output.line(
        `Imported ${plural(summary.labels, 'label')} and ${plural(summary.regions, 'region')} for ${plural(summary.matched, 'entry', 'entries')}.`,
      );
      const nothing = summary.labels + summary.regions + summary.contradictions.length === 0;
      if (summary.matched > 0 && nothing && summary.reckoning.problems.length === 0) {
        const table = ['csv', 'parquet'].includes(format.name);
        output.warn(`None of them has a class${table ? ': the column of the class is empty' : ''}.`);
      }
      const { corrections } = summary;
      if (corrections !== null) {
        const counts = Object.entries(corrections).map(([what, count]) => `${formatCount(count)} ${what}`);
        output.line(`The file is the state of its pictures: objects ${counts.join(', ')}.`);
      }
      const added = summary.newClasses.map(({ name }) => name);
      if (added.length > 0) output.line(`New classes: ${listed(added)}`);
      for (const [split, count] of Object.entries(summary.splits))
        output.line(`  split ${split}: ${formatCount(count)}`);
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
      printReckoning(summary.reckoning, output);
      if (summary.matched === 0) return 1;
      return global.strict && summary.unmatched + summary.contradictions.length > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

/** Names shown in one line. */
const NAMES_SHOWN = 12;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map(oneLine).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}

/** `a,b,c`, or the lines of a file. */
async function namesGiven(text: string): Promise<string[]> {
  const lines = text.includes(',') ? text.split(',') : ((await readSmallText(text, text)) ?? text).split(/\r?\n/);
  return lines.map((name) => name.trim()).filter((name) => name !== '');
}
