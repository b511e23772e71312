import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { typedWord } from '../../core/shell-word.ts';
import { taxonomy } from '../../corpus/corpus.ts';
import { readTaxonomy, TAXONOMY_FORMATS, taxonomyFormatOf, writeTaxonomy } from '../../corpus/taxonomies.ts';
import { writeNamingSheet } from '../../stages/discover/naming-sheet.ts';
import { command } from '../command.ts';
import { taskName } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { workspaceOption } from '../workspace-option.ts';
import { operation } from './corpus-change.ts';

const TAXONOMY = argument('<file>', 'such as classes.json, classes.csv or classes.jsonld', z.string());

const FORMAT = option(
  '--format <name>',
  "json, csv or skos (default: by the file's name)",
  z.enum(TAXONOMY_FORMATS).optional(),
);

export const corpusExport = command({
  name: 'corpus export',
  summary: 'the classes as JSON, CSV or SKOS (JSON-LD)',
  args: { file: TAXONOMY },
  options: { format: FORMAT, replace: flag('--replace', 'take the place of a file that is there') },
  examples: [['labelsmith corpus export classes.json', 'names, synonyms, parents, descriptions, synsets']],
  run({ args: { file }, options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const nodes = await taxonomy(workspace.store);
      const to = { replace: options.replace, workspaceDir: workspace.dir };
      const path = await writeTaxonomy(file, options.format ?? taxonomyFormatOf(file), nodes, to);
      output.document({ path, classes: nodes.length });
      output.line(`Wrote ${plural(nodes.length, 'class', 'classes')} to ${path}`);
      return 0;
    });
  },
});

export const corpusNames = command({
  name: 'corpus names',
  summary: 'a sheet to name clusters in, for corpus map',
  args: { file: argument('<file>', 'the sheet to write, such as names.csv', z.string()) },
  details:
    'A row a class that discover made, with what speaks for names and paths of pictures that stand for it. Write your names\n' +
    'into the column to; the same name twice makes one class of two. The report shows the same classes with pictures.',
  options: {
    task: option('--task <name>', 'the task of the clusters', taskName().default('class')),
    replace: flag('--replace', 'take the place of a sheet that is there'),
  },
  examples: [['labelsmith corpus names names.csv', 'fill in the column to, then labelsmith corpus map names.csv']],
  run({ args: { file }, options, ...context }) {
    const { global, output } = context;
    return withWorkspace(context, async (workspace) => {
      const { path, classes } = await writeNamingSheet(workspace, file, options);
      output.document({ path, classes });
      output.line(`Wrote ${plural(classes, 'class', 'classes')} to ${path}`);
      output.summary(
        `Fill in the column to, then: labelsmith corpus map ${typedWord(file)}${workspaceOption(global.workspace)}`,
      );
      return 0;
    });
  },
});

export const corpusImport = operation(
  {
    name: 'corpus import',
    summary: 'a taxonomy of your own',
    args: { file: TAXONOMY },
    options: { format: FORMAT },
    examples: [['labelsmith corpus import taxonomy.csv', 'one operation: labelsmith corpus undo takes all of it back']],
  },
  async ({ args: { file }, options }) => ({
    kind: 'import',
    entries: await readTaxonomy(file, options.format ?? taxonomyFormatOf(file)),
  }),
);
