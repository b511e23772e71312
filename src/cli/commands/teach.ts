import { basename, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { ITEM_KINDS, isMachine, NONE_OF_THESE } from '../../core/labels.ts';
import { checkOutput } from '../../files/output.ts';
import { type ProtectedPath, placesToKeepOut } from '../../files/place.ts';
import { csvRow, fileCell, textCell } from '../../formats/csv-table.ts';
import { originalBytes, readImageIfThere } from '../../jobs/image-reader.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { requireEmbedder } from '../../models/prepare-embedder.ts';
import { allEntries } from '../../models/registry.ts';
import { type QuestionFile, questionsOutput, writeQuestionFolder, writeQuestionSheet } from '../../review/questions.ts';
import { openSource } from '../../sources/open.ts';
import { dropUnlabelledAuditItems } from '../../stages/audit/audit-items.ts';
import { openClassifier } from '../../stages/classify/classifier-file.ts';
import { predictFiles } from '../../stages/classify/predict.ts';
import { doubtsIn } from '../../stages/teach/doubts.ts';
import type { Account } from '../../stages/teach/evaluation.ts';
import { refuseUnlabelled, singleTask } from '../../stages/teach/items.ts';
import { type Question, selectIn } from '../../stages/teach/select-stage.ts';
import { DEFAULT_THRESHOLD, fileNameOf, MODELS_FOLDER, type TeachResult, teachIn } from '../../stages/teach/teach.ts';
import { type Command, type Context, command } from '../command.ts';
import { modelsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { duration, fraction, nameList, wholeNumber } from '../text-values.ts';
import { argument, flag, type OptionTable, option, type Values } from '../values.ts';
import { formatCount, formatPercent, oneLine, plural, table } from '../words.ts';
import { noteLimit, runEmbed } from './embed.ts';
import { printUnread } from './unread.ts';

const TASK = option('--task <name>', 'the task whose labels are learned', z.string().default('class'));

const LEARNING = {
  task: TASK,
  budget: option(
    '--budget <time>',
    'cut the search short and begin nothing new after this long, such as 20m; without it, no end',
    duration().optional(),
  ),
  search: option(
    '--search <width>',
    'what is tried: strengths and class weights, or other embedders, heads and views too',
    z.enum(['quick', 'wide']).default('quick'),
  ),
  backbones: option(
    '--backbones <a,b>',
    'tries these embedders, alone and two side by side, without --search wide too (default with it: all there are)',
    nameList().optional(),
  ),
  views: option(
    '--views <n>',
    'crops, mirrors and other light of each labelled image that are taught as well',
    wholeNumber(0).default(0),
  ),
} satisfies OptionTable;

const train = command({
  name: 'teach train',
  summary: 'a base model from the labels alone, and how good it is',
  details:
    'Learns from what people said and what was imported, never from audit items. Writes a classifier and labels nothing:\n' +
    'teach rounds does both, and is better. Embeds first, with --limit N at most N; all that are embedded take part.',
  options: LEARNING,
  limit: true,
  examples: [
    ['labelsmith teach train', 'the labels of the task class'],
    ['labelsmith teach train --search wide --views 4 --budget 10m', 'what else may help, for ten minutes'],
    ['labelsmith teach train --backbones mobilenetv3-small,mine', 'which of two embedders, or both'],
  ],
  run: ({ options, ...context }) => teachCommand(context, options, { labelRest: false, threshold: DEFAULT_THRESHOLD }),
});

const rounds = command({
  name: 'teach rounds',
  summary: 'learn from the labels and from everything else, then label the rest',
  details:
    'Items that are surer than the threshold get a label of origin model; the others stay for people, and evaluate knows\n' +
    'the best guess for them. Items without an embedding are embedded first, with --limit N at most N of them; all that\n' +
    'are embedded take part.',
  options: {
    ...LEARNING,
    threshold: option(
      '--threshold <confidence>',
      'calibrated confidence a label needs, 0 to 1; the rest stay for people',
      fraction().default(DEFAULT_THRESHOLD),
    ),
  },
  limit: true,
  examples: [
    ['labelsmith teach rounds', 'label the rest of the task class'],
    ['labelsmith teach rounds --threshold 0.95', 'fewer labels, more of them right'],
    ['labelsmith teach rounds --budget 20m', 'begin nothing new after 20 minutes'],
  ],
  run: ({ options: { threshold, ...learning }, ...context }) =>
    teachCommand(context, learning, { labelRest: true, threshold }),
});

const select = command({
  name: 'teach select',
  summary: 'what to label next, so that few labels go far; and a random audit set',
  details:
    'The answers come back with labelsmith import csv OUT.csv --as human (or import folders OUT --as human).\n' +
    'OUT.csv gets a row an image with an empty class column; a folder gets the pictures to sort into classes, and a page\n' +
    'to look at. Nearly equal pictures are asked once. Audit items are drawn at random and never trained on, whoever\n' +
    'labels them; a quarter of all items stays outside of the audit set. An image that is of no class of the task is\n' +
    `"${NONE_OF_THESE}". Embeds first, with --limit N at most N; what is asked is of all that are embedded.`,
  options: {
    task: TASK,
    items: option(
      '--items <kind>',
      'what a new task is about: whole images, or the regions in them',
      z.enum(ITEM_KINDS).optional(),
    ),
    count: option('-n, --count <n>', 'items to ask about', wholeNumber(0).default(50)),
    audit: option('--audit <n>', 'images to draw at random for the audit set', wholeNumber(0).default(0)),
    dropAudit: flag('--drop-audit', 'first take back audit items that nobody has labelled'),
    out: option('--out <path>', 'FILE.csv, or a folder', z.string().default('to-label.csv')),
    replace: flag('--replace', 'replace OUT as a whole'),
  },
  limit: true,
  examples: [
    ['labelsmith teach select -n 50 --out label.csv', 'fifty rows to fill in'],
    ['labelsmith teach select -n 50 --audit 100 --out sort/', 'a folder to sort, a hundred for the audit among them'],
    ['labelsmith teach select -n 0 --drop-audit', 'no more than to take back what was drawn and not labelled'],
  ],
  async run({ options, ...context }) {
    const { global, output, signal } = context;
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      const { store } = workspace;
      const { task, count, audit } = options;
      if (count + audit === 0 && options.dropAudit) {
        await singleTask(store, task);
        output.document({ dropped: await dropAudit(output, store, task) });
        return 0;
      }
      const place = {
        out: options.out,
        replace: options.replace,
        protectedPaths: await placesToKeepOut(workspace, { insideSources: isSheet(options.out) }),
      };
      // Before the audit set is drawn: what is drawn and not written would never be asked.
      await checkOutput(place.out, questionsOutput(isSheet(place.out) ? 'file' : 'folder', place));
      if (options.items === 'regions') await store.ensureTask({ name: task, rule: 'single', items: 'regions' });
      const { items } = await singleTask(store, task);
      const embedded = await runEmbed(context, workspace, { items, force: false });
      if (embedded.interrupted) return 130;
      noteLimit(context, embedded, items);
      printUnread(output, embedded.counts);
      const { seed, threads } = global;
      const dropped = options.dropAudit ? await dropAudit(output, store, task) : 0;
      const result = await selectIn(workspace, { seed, threads, signal, task, count, audit });
      const written = await writeQuestions(workspace, result.questions, { ...place, task });
      output.document({ ...result.counts, dropped, ...written, questions: written.questions });
      const { selected, audit: drawn } = result.counts;
      output.line(
        `Chose ${plural(selected, items === 'images' ? 'image' : 'region')} to label${drawn > 0 ? ` and drew ${drawn} for the audit set` : ''}: ${written.out}`,
      );
      if (written.unreadable > 0)
        output.warn(`${plural(written.unreadable, 'image')} could not be read and were left out.`);
      return result.questions.length === 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

async function dropAudit(output: Output, store: Workspace['store'], task: string): Promise<number> {
  const dropped = await dropUnlabelledAuditItems(store, task);
  output.line(`Took back ${plural(dropped, 'audit item')} that nobody has labelled.`);
  return dropped;
}

function isSheet(out: string): boolean {
  return out.toLowerCase().endsWith('.csv');
}

interface QuestionsPlace {
  readonly out: string;
  readonly task: string;
  readonly replace: boolean;
  readonly protectedPaths: readonly ProtectedPath[];
}

async function writeQuestions(
  workspace: Workspace,
  questions: readonly Question[],
  { out, task, replace, protectedPaths }: QuestionsPlace,
): Promise<{ out: string; unreadable: number; questions: { file: string; why: string; guess: string | null }[] }> {
  const { store } = workspace;
  const order = new Map(questions.map(({ itemId }, i) => [itemId, i]));
  const files: QuestionFile[] = new Array(questions.length);
  for await (const { id: imageId, file, regions } of store.dataset({ unlabelled: true })) {
    const about = (itemId: string, box: QuestionFile['box']) => {
      const place = order.get(itemId);
      if (place !== undefined) files[place] = { question: questions[place], imageId, file, box };
    };
    about(imageId, null);
    for (const { id, box } of regions) about(id, box);
  }
  const asked = files.filter((file) => file !== undefined);
  const listed = asked.map(({ file, question: { why, guess } }) => ({ file, why, guess }));
  if (isSheet(out))
    return {
      out: await writeQuestionSheet(out, asked, { task, replace, protectedPaths }),
      unreadable: 0,
      questions: listed,
    };
  const read = originalBytes(workspace);
  const classNames = (await store.classes())
    .filter(({ counts }) => counts.some((of) => of.task === task && of.count > 0))
    .map(({ name }) => name);
  const bytes = (id: string) => readImageIfThere(store, id, read);
  const written = await writeQuestionFolder(out, asked, { task, classNames, replace, protectedPaths, bytes });
  return { ...written, questions: listed };
}

const errors = command({
  name: 'teach errors',
  summary: 'labels that are probably wrong, the most doubtful first',
  details:
    "Judges people's and imported labels by models that had not seen them (cross-validation), machine labels by the\n" +
    'model itself. Run teach rounds first. Nothing is changed.',
  options: {
    task: TASK,
    count: option('-n, --count <n>', 'labels to list', wholeNumber(1).default(20)),
    machine: flag('--machine', 'machine labels too'),
  },
  examples: [['labelsmith teach errors -n 50', 'the fifty most doubtful labels']],
  async run({ options, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
    try {
      const fileOf = new Map<string, string>();
      for await (const { id, file } of workspace.store.dataset({ unlabelled: true })) fileOf.set(id, file);
      const all = await doubtsIn(workspace, options.task, [...fileOf.keys()]);
      const shown = all
        .filter(({ origin }) => options.machine || !isMachine(origin))
        .slice(0, options.count)
        .map(({ itemId, ...doubt }) => ({ file: fileOf.get(itemId) as string, ...doubt }));
      output.document({ labels: shown });
      const rows = shown.map(({ file, className, suggested, selfConfidence, flagged }) => [
        oneLine(file),
        oneLine(className),
        formatPercent(selfConfidence),
        suggested === className ? '' : oneLine(suggested),
        flagged ? 'probably wrong' : '',
      ]);
      for (const line of table([['file', 'label', 'likely', 'rather', ''], ...rows])) output.line(line);
      return shown.length === 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
});

const predict = command({
  name: 'teach predict',
  summary: 'a trained classifier on images anywhere, with no workspace',
  details:
    'Prints file,class,confidence as CSV, or a JSON document with --json. Files that cannot be read are listed on stderr.\n' +
    'With --limit N only the first N files are looked at.',
  args: { folder: argument('<folder>', 'images: anything that add takes', z.string()) },
  options: {
    model: option(
      '-m, --model <file>',
      'the classifier that teach rounds wrote (default: that of the workspace)',
      z.string().optional(),
    ),
    task: TASK,
    threshold: option(
      '--threshold <confidence>',
      'leave the class empty below this (default: every image gets its best guess)',
      fraction().optional(),
    ),
  },
  limit: true,
  examples: [['labelsmith teach predict new/ --model class.onnx > labels.csv', 'a CSV of labels']],
  async run({ args: { folder }, options, global, output, signal }) {
    const model = options.model ?? join(global.workspace, MODELS_FOLDER, `${fileNameOf(options.task)}.onnx`);
    const classifier = await openClassifier(model, { threads: global.threads, device: global.device });
    try {
      const { threshold = 0 } = options;
      const rows: { file: string; class: string; confidence: number }[] = [];
      const failed: { file: string; message: string }[] = [];
      let headed = false;
      // Not before there is something to say: a folder that is not there leaves stdout empty.
      const head = () => {
        if (!headed) output.line('file,class,confidence');
        headed = true;
      };
      for await (const prediction of predictFiles(classifier, await openSource(folder, { cwd: process.cwd() }), {
        signal,
        limit: global.limit,
      })) {
        const file = relative(resolve(folder), prediction.path) || basename(prediction.path);
        if (prediction.kind === 'failed') {
          failed.push({ file, message: prediction.message });
          output.warn(`${oneLine(file)}: ${oneLine(prediction.message)}`);
          continue;
        }
        const className = prediction.confidence < threshold ? '' : prediction.className;
        const confidence = Number(prediction.confidence.toFixed(6));
        rows.push({ file, class: className, confidence });
        head();
        output.line(csvRow([fileCell(file), textCell(className), String(confidence)]).trimEnd());
      }
      head();
      output.document({
        model: classifier.key,
        task: classifier.info.task,
        images: rows.length,
        predictions: rows,
        failed,
      });
      if (signal.aborted) return 130;
      if (rows.length + failed.length === global.limit)
        output.note(`A pilot: the first ${plural(global.limit, 'file')} of ${folder} (--limit).`);
      if (rows.length + failed.length === 0) output.warn(`There are no images in ${folder}.`);
      return rows.length === 0 || (global.strict && failed.length > 0) ? 1 : 0;
    } finally {
      await classifier.close();
    }
  },
});

async function teachCommand(
  context: Context,
  { task, budget, search, backbones: named, views }: Values<typeof LEARNING>,
  { labelRest, threshold }: { readonly labelRest: boolean; readonly threshold: number },
): Promise<number> {
  const { global, output, signal } = context;
  for (const name of named ?? []) await requireEmbedder(name);
  const workspace = await openWorkspace(global.workspace, {
    create: false,
    device: global.device,
    models: modelsFor(context),
  });
  try {
    const { items } = await singleTask(workspace.store, task);
    await refuseUnlabelled(workspace.store, task);
    const embedded = await runEmbed(context, workspace, { items, force: false });
    if (embedded.interrupted) return 130;
    noteLimit(context, embedded, items);
    printUnread(output, embedded.counts);
    const { seed, threads } = global;
    const { onProgress, done } = context.runOptions();
    const result = await teachIn(workspace, {
      seed,
      threads,
      signal,
      task,
      threshold,
      budgetMs: budget,
      techniques: labelRest ? undefined : [],
      search,
      views,
      labelRest,
      backbones: named ?? (search === 'wide' ? await embedderNames() : []),
      onTrial: ({ model, accuracy, weights }) =>
        output.note(
          `  ${formatPercent(accuracy)} cross-validated: ${model}, parts ${weights.map((w) => w.toFixed(2)).join(' ')}`,
        ),
      onProgress,
      onStep: ({ technique, accuracy }) =>
        output.note(`  ${technique.padEnd(8)} ${formatPercent(accuracy)} cross-validated`),
    });
    done();
    output.document(documentOf(result));
    print(output, result, labelRest);
    return global.strict && result.warnings.length > 0 ? 1 : 0;
  } finally {
    await workspace.close();
  }
}

async function embedderNames(): Promise<string[]> {
  return (await allEntries()).filter(({ role }) => role === 'embedder').map(({ id }) => id);
}

function documentOf({ metrics: _, counts, ...rest }: TeachResult): unknown {
  return { ...rest, ...counts };
}

function print(output: Output, result: TeachResult, labelRest: boolean): void {
  const { counts, crossValidated, account, technique } = result;
  output.line(
    `Learned ${plural(counts.classes, 'class', 'classes')} from ${plural(counts.labelled, 'label')} (${technique}).`,
  );
  const [low, high] = crossValidated.interval;
  output.line(
    `Accuracy ${formatPercent(crossValidated.accuracy)} cross-validated on the labels (95 %: ${formatPercent(low)} to ${formatPercent(high)}).`,
  );
  if (account.measuredOn === 'audit') printAudit(output, account);
  const curve = account.learningCurve;
  if (curve && curve.more !== null && curve.more > 0) {
    output.line(`For ${formatPercent(curve.goal, 0)}, about ${formatCount(curve.more)} more labels like these.`);
  }
  if (account.confusions.length > 0) {
    output.line();
    const rows = account.confusions.map(({ truth, predicted, count }) => [oneLine(truth), oneLine(predicted), count]);
    for (const line of table([['class', 'taken for', 'items'], ...rows])) output.line(`  ${line}`);
    output.line();
  }
  if (labelRest) {
    output.line(`Labelled ${plural(counts.labels, 'item')}; ${plural(counts.unsure, 'item')} left for people.`);
  }
  if (result.backbones.length > 0)
    output.line(`Embedder: ${result.embedder}, of ${plural(result.backbones.length, 'way')} to a vector.`);
  output.line(`Classifier: ${result.model}`);
  for (const warning of result.warnings) output.note(`note: ${warning}`);
}

function printAudit(output: Output, { accuracy, interval: [low, high], count, ece, eceByChance }: Account): void {
  output.line(
    `Accuracy ${formatPercent(accuracy)} on ${plural(count, 'audit item')} (95 %: ${formatPercent(low)} to ${formatPercent(high)}), calibration error ${ece.toFixed(3)} (exactly right confidences would show ${eceByChance.toFixed(3)}).`,
  );
}

export const teachCommands: readonly Command[] = [select, train, rounds, errors, predict];
