import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { LabelsmithError } from '../../errors.ts';
import { READERS, readerNamed } from '../../formats/table.ts';
import { readSmallText } from '../../formats/walk.ts';
import { CLASS_MODES } from '../../stages/import/classes.ts';
import { importIn } from '../../stages/import/import-in.ts';
import { DISAGREEMENT_RULES } from '../../stages/import/votes.ts';
import { type Context, command } from '../command.ts';
import { printImported } from '../print/imported.ts';
import { taskName } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

export const importCommand = command({
  name: 'import',
  dryRun: true,
  summary: 'take in labels that somebody has made',
  details: `Formats: auto, ${READERS.map(({ name }) => name).join(', ')}. Images are matched by path, by the end of their path, or by their bytes;\nthey have to be added first.\nedge takes in what a device found (labelsmith edge pack): the images that it was not sure of, and labels by their bytes.`,
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
      'the task (default: what the file says, else class, and objects for boxes); one that is not there yet is made and\ntold, with --strict refused',
      taskName().optional(),
    ),
    classes: option(
      '--classes <mode>',
      'classes that are not there yet: existing leaves their labels out, ask stops and names them',
      z.enum(CLASS_MODES).default('new'),
    ),
    replace: {
      ...option(
        '--replace',
        'with --as human: the file is the state of its pictures, and what is not in it any more is deleted (files that\nlabelsmith exported are compared with what the export showed, by default)',
        z.boolean().optional(),
      ),
      denial: { flags: '--no-replace', description: 'add what the file says and delete nothing' },
    },
    confirmAll: option(
      '--confirm-all',
      'with corrections of an export: what the person left as it was is their word too (default: only what they changed)',
      z.boolean().optional(),
    ),
    disagreement: option(
      '--disagreement <rule>',
      'where annotators of one thing disagree: the newest class holds, that of the majority, or all, for review',
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
    ['labelsmith import edge results', 'what a device found, see labelsmith edge'],
    ['labelsmith import auto dataset.zip', 'whatever it is: what it was seen by is said'],
  ],
  run({ args: { format, path }, options: { names, ...options }, ...context }) {
    const { global, output } = context;
    const { seed, threads, device, strict, dryRun } = global;
    if (format === 'edge') {
      if (!dryRun) return importEdge(context, path);
      throw new LabelsmithError('USAGE', 'What a device found cannot be taken in on trial: it adds images first.', {
        hint: 'Leave out --dry-run, perhaps with a workspace of its own (--workspace).',
      });
    }
    const name = format === 'auto' ? format : readerNamed(format).name;
    return withWorkspace(context, async (workspace) => {
      const classNames = names === undefined ? undefined : await namesGiven(names);
      const settings = { ...options, classNames, strict, seed, threads, device, dryRun };
      const summary = await importIn(workspace, name, path, settings);
      output.document(dryRun ? { dryRun, ...summary } : summary);
      printImported(output, summary.format, summary, dryRun);
      if (summary.matched === 0) return 1;
      return strict && summary.unmatched + summary.contradictions.length > 0 ? 1 : 0;
    });
  },
});

async function importEdge(
  context: Pick<Context, 'global' | 'output' | 'signal' | 'runOptions'>,
  path: string,
): Promise<number> {
  const { output, global } = context;
  return withWorkspace(
    context,
    async (workspace) => {
      const { importEdgeResults } = await import('../../stages/edge/import-results.ts');
      const { done, ...run } = context.runOptions();
      const { added, imported } = await importEdgeResults(workspace, path, run);
      done();
      output.document({ added, ...imported });
      if (added !== null)
        output.summary(`Added ${plural(added.images ?? 0, 'image')} that the device was not sure of.`);
      printImported(output, imported.format, imported);
      return global.strict && imported.unmatched > 0 ? 1 : 0;
    },
    { create: true },
  );
}

/** `a,b,c`, or the lines of a file. */
async function namesGiven(text: string): Promise<string[]> {
  const lines = text.includes(',') ? text.split(',') : ((await readSmallText(text, text)) ?? text).split(/\r?\n/);
  return lines.map((name) => name.trim()).filter((name) => name !== '');
}
