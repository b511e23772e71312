import { z } from 'zod';
import type { Workspace } from '../../jobs/workspace.ts';
import { checkDiscover, discoverWith } from '../../stages/discover/discover-with.ts';
import { requireEnoughItems } from '../../stages/discover/enough-items.ts';
import { METHODS } from '../../stages/discover/hierarchy.ts';
import { namerFrom } from '../../stages/discover/namer.ts';
import { embedWith, estimateEmbedWith } from '../../stages/embed/embed-with.ts';
import { command } from '../command.ts';
import { noteAgain } from '../print/again.ts';
import { printDiscovered, printNamesByWords, printNoNames, printWritten } from '../print/discovered.ts';
import { noteLimit, printEmbedded, printEmbedEstimate } from '../print/embedded.ts';
import { printReadErrors } from '../print/read-errors.ts';
import { clusterCount, duration, fraction, taskName, wholeNumber } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';
import { EMBED_OPTIONS } from './embed.ts';
import { PART, partOf } from './part-option.ts';

export const CLUSTERS = option(
  '--k <n>',
  'clusters, or auto (default: as before here, else auto; with --recluster auto)',
  clusterCount().optional(),
);

export const LEVEL = option(
  '--level <n>',
  'cut the tree at one of its levels, groups, classes or kinds, 1 the coarsest (in place of --k)',
  wholeNumber(1).optional(),
);

export const discover = command({
  name: 'discover',
  summary: 'find classes with nobody labelling: clusters, with names proposed from evidence',
  details:
    'Embeds what has no vector yet, clusters it, and labels every item with its cluster (origin: cluster, which yields to\n' +
    'every other). A name is proposed only with evidence for it: what detectors saw, words of paths, keywords in files,\n' +
    'labels there are; with none the class is unnamed-N. Images added later get the cluster of their neighbours; clusters\n' +
    'stay as they are until --recluster, which also finds their number anew unless --k is given. With --limit N at most N are embedded now and all that are embedded are\n' +
    'clustered: clusters of a subset, which are made again when more are embedded.',
  options: {
    ...EMBED_OPTIONS,
    k: CLUSTERS,
    level: LEVEL,
    method: option(
      '--method <name>',
      'how to cluster (default: as before here, else graph)',
      z.enum(METHODS).optional(),
    ),
    task: option('--task <name>', 'the task that gets the labels', taskName().default('class')),
    classifier: option(
      '--classifier <model>',
      'an imported classifier that votes on names of new clusters',
      z.string().optional(),
    ),
    readWords: flag(
      '--read-words',
      'read what is written on up to 20 images of each new cluster: for packaging, labels, signs (fetches 16 MB once, some 0.3 s of a core an image)',
    ),
    vocabulary: option(
      '--vocabulary <words>',
      'wordnet, or a file with a name a line: names for new clusters, where the embedder knows words',
      z.string().optional(),
    ),
    wordShare: option(
      '--word-share <s>',
      'the share of a cluster from which a word of --vocabulary is its name (default: as measured for the model, else a candidate)',
      fraction().optional(),
    ),
    namer: option(
      '--namer <url>',
      'a model that you run, in OpenAI’s form, is shown a contact sheet of each new cluster and asked for its name',
      z.string().optional(),
    ),
    namerModel: option('--namer-model <name>', 'the name of that model at its server', z.string().optional()),
    namerTimeout: option(
      '--namer-timeout <time>',
      'how long that model may take for an answer, such as 10m (default: 2m)',
      duration().optional(),
    ),
    propose: option(
      '--propose <file>',
      'also ask that model which classes are in the pile, and write them there, for match --classes',
      z.string().optional(),
    ),
    recluster: flag('--recluster', 'cluster everything again, and find the number anew unless --k is given'),
    ...PART,
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith discover', 'as many clusters as the data suggests'],
    ['labelsmith discover --k 30', 'cuts the same tree elsewhere: nothing is embedded again'],
    ['labelsmith discover --level 1', 'the coarsest of the levels that are named at the end'],
    ['labelsmith discover --method density', 'leaves out what belongs to no cluster'],
    ['labelsmith discover --read-words --recluster', 'words on cartons, bottles, boxes as evidence for names'],
    ['labelsmith discover --vocabulary wordnet --recluster', 'words for names: after embed --model siglip2-base'],
    [
      'labelsmith discover --recluster --namer http://localhost:11434/v1 --namer-model NAME',
      'names by a model of Ollama, llama.cpp, vLLM',
    ],
    ['labelsmith discover --items regions --task parts', 'what detect found, in kinds'],
  ],
  run({ options, ...context }) {
    const { global, output, signal } = context;
    const part = partOf({ shard: options.shard, force: options.recluster }, '--recluster');
    const work = async (workspace: Workspace) => {
      const { model, quality, namer: url, namerModel, namerTimeout: timeoutMs, shard: _, ...asked } = options;
      const noNames: string[] = [];
      const namer =
        url === undefined
          ? undefined
          : {
              ...namerFrom(url, namerModel, process.env.LABELSMITH_NAMER_KEY),
              ...(timeoutMs === undefined ? {} : { timeoutMs }),
              onNoName: (answer: string) => void noNames.push(answer),
            };
      const request = { ...asked, ...(namer ? { namer } : {}) };
      if (namer) {
        output.note(
          `${namer.model} at ${namer.url} is sent one picture a new cluster: up to nine of its images at 160 pixels and as many of two clusters near it, no names of files.${
            options.propose === undefined ? '' : ' And one picture for each six clusters, of three images each.'
          }`,
        );
      }
      const { items } = request;
      if (global.dryRun) {
        const estimate = await estimateEmbedWith(workspace, { items, model, quality }, global);
        output.note('Nearly all of the time is embedding; clustering comes after it.');
        output.document({ dryRun: true, ...estimate });
        printEmbedEstimate(output, estimate, items);
        return 0;
      }
      // What cannot be is said before minutes of embedding.
      checkDiscover(request);
      await requireEnoughItems(workspace.store, items, options.k);
      await workspace.store.ensureTask({ name: options.task, rule: 'single', items });
      const run = context.runOptions();
      const embedded = await embedWith(workspace, { items, model, quality }, run);
      run.done();
      if (embedded.counts.embedded > 0) printEmbedded(output, embedded, items);
      else printReadErrors(output, embedded.counts);
      noteLimit(output, global.limit, embedded, items);
      if (signal.aborted || embedded.counts.total === 0) {
        output.document({ interrupted: signal.aborted, embedded: embedded.counts, clusters: [] });
        if (!signal.aborted) output.summary(`No ${items} to cluster here.`);
        return 1;
      }
      const onAgain = () => noteAgain(output);
      const result = await discoverWith(workspace, { ...request, onAgain }, run);
      run.done();
      const { counts, metrics: _metrics, ...told } = result;
      output.document({ ...counts, ...told, embedded: embedded.counts });
      printDiscovered(output, result, items, options);
      printNamesByWords(output, result, options.wordShare);
      printWritten(output, result);
      printNoNames(output, namer?.model, noNames);
      if (result.proposed) {
        const { file, classes } = result.proposed;
        const names = classes.map(({ name }) => name).join(', ');
        output.summary(
          `Classes that ${namer?.model} proposes: ${names || 'none'}. They are in ${file}, for match --classes.`,
        );
      }
      return global.strict && embedded.counts.quarantined > 0 ? 1 : 0;
    };
    return withWorkspace(context, work, { part });
  },
});
