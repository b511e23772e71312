import { basename, join, relative, resolve } from 'node:path';
import { isMachine, NONE_OF_THESE } from '../../core/labels.ts';
import { checkOutput, type ProtectedPath, placesToKeepOut } from '../../files/output.ts';
import { csvRow, fileCell, textCell } from '../../formats/csv-table.ts';
import { originalBytes, readImageIfThere } from '../../jobs/image-reader.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { openEmbedder } from '../../models/embedder.ts';
import { requireEmbedder } from '../../models/prepare-embedder.ts';
import { allEntries } from '../../models/registry.ts';
import { type QuestionFile, writeQuestionFolder, writeQuestionSheet } from '../../review/questions.ts';
import { openSource } from '../../sources/open.ts';
import { dropUnlabelledAuditItems } from '../../stages/audit/audit-items.ts';
import { openClassifier } from '../../stages/classify/classifier-file.ts';
import { predictFiles } from '../../stages/classify/predict.ts';
import { doubtsIn } from '../../stages/teach/doubts.ts';
import type { Account } from '../../stages/teach/evaluation.ts';
import { refuseUnlabelled, singleTask } from '../../stages/teach/items.ts';
import type { SearchWidth } from '../../stages/teach/search.ts';
import { type Question, selectIn } from '../../stages/teach/select-stage.ts';
import { DEFAULT_THRESHOLD, fileNameOf, MODELS_FOLDER, type TeachResult, teachIn } from '../../stages/teach/teach.ts';
import type { CommandSpec, Invocation, OptionSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { fraction, nameList, wholeNumber } from '../parse.ts';
import { durationMs } from '../parse-duration.ts';
import { formatCount, formatPercent, oneLine, plural, table } from '../words.ts';
import { noteLimit, runEmbed } from './embed.ts';
import { printUnread } from './unread.ts';

const TASK: OptionSpec = { flags: '--task <name>', description: 'the task whose labels are learned', default: 'class' };
const THRESHOLD: OptionSpec = {
  flags: '--threshold <confidence>',
  description: 'calibrated confidence a label needs, 0 to 1; the rest stay for people',
  default: DEFAULT_THRESHOLD,
  parse: fraction('--threshold'),
};

const SEARCH: readonly OptionSpec[] = [
  {
    flags: '--search <width>',
    description: 'what is tried: strengths and class weights, or other embedders, heads and views too',
    choices: ['quick', 'wide'],
    default: 'quick',
  },
  {
    flags: '--backbones <a,b>',
    description:
      'tries these embedders, alone and two side by side, without --search wide too (default with it: all there are)',
    parse: nameList('--backbones'),
  },
  {
    flags: '--views <n>',
    description: 'crops, mirrors and other light of each labelled image that are taught as well',
    default: 0,
    parse: wholeNumber('--views', 0),
  },
];
const BUDGET: OptionSpec = {
  flags: '--budget <time>',
  description: 'cut the search short and begin nothing new after this long, such as 20m; without it, no end',
  parse: durationMs('--budget'),
};

const train: CommandSpec = {
  usage: 'teach train',
  summary: 'a base model from the labels alone, and how good it is',
  details:
    'Learns from what people said and what was imported, never from audit items. Writes a classifier and labels nothing:\n' +
    'teach rounds does both, and is better. Embeds first, with --limit N at most N; all that are embedded take part.',
  options: [TASK, BUDGET, ...SEARCH],
  limit: true,
  examples: [
    ['labelsmith teach train', 'the labels of the task class'],
    ['labelsmith teach train --search wide --views 4 --budget 10m', 'what else may help, for ten minutes'],
    ['labelsmith teach train --backbones mobilenetv3-small,mine', 'which of two embedders, or both'],
  ],
  run: (invocation) => teachCommand(invocation, false),
};

const rounds: CommandSpec = {
  usage: 'teach rounds',
  summary: 'learn from the labels and from everything else, then label the rest',
  details:
    'Items that are surer than the threshold get a label of origin model; the others stay for people, and evaluate knows\n' +
    'the best guess for them. Items without an embedding are embedded first, with --limit N at most N of them; all that\n' +
    'are embedded take part.',
  options: [TASK, THRESHOLD, BUDGET, ...SEARCH],
  limit: true,
  examples: [
    ['labelsmith teach rounds', 'label the rest of the task class'],
    ['labelsmith teach rounds --threshold 0.95', 'fewer labels, more of them right'],
    ['labelsmith teach rounds --budget 20m', 'begin nothing new after 20 minutes'],
  ],
  run: (invocation) => teachCommand(invocation, true),
};

const select: CommandSpec = {
  usage: 'teach select',
  summary: 'what to label next, so that few labels go far; and a random audit set',
  details:
    'The answers come back with labelsmith import csv OUT.csv --as human (or import folders OUT --as human).\n' +
    'OUT.csv gets a row an image with an empty class column; a folder gets the pictures to sort into classes, and a page\n' +
    'to look at. Nearly equal pictures are asked once. Audit items are drawn at random and never trained on, whoever\n' +
    'labels them; a quarter of all items stays outside of the audit set. An image that is of no class of the task is\n' +
    `"${NONE_OF_THESE}". Embeds first, with --limit N at most N; what is asked is of all that are embedded.`,
  options: [
    TASK,
    {
      flags: '--items <kind>',
      description: 'what a new task is about: whole images, or the regions in them',
      choices: ['images', 'regions'],
    },
    { flags: '-n, --count <n>', description: 'items to ask about', default: 50, parse: wholeNumber('--count', 0) },
    {
      flags: '--audit <n>',
      description: 'images to draw at random for the audit set',
      default: 0,
      parse: wholeNumber('--audit', 0),
    },
    {
      flags: '--drop-audit',
      description: 'first take back audit items that nobody has labelled',
      default: false,
    },
    { flags: '--out <path>', description: 'FILE.csv, or a folder (default: to-label.csv)', default: 'to-label.csv' },
    { flags: '--replace', description: 'replace OUT as a whole', default: false },
  ],
  limit: true,
  examples: [
    ['labelsmith teach select -n 50 --out label.csv', 'fifty rows to fill in'],
    ['labelsmith teach select -n 50 --audit 100 --out sort/', 'a folder to sort, a hundred for the audit among them'],
    ['labelsmith teach select -n 0 --drop-audit', 'no more than to take back what was drawn and not labelled'],
  ],
  async run(invocation) {
    const { options, global, output, signal } = invocation;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const { store } = workspace;
      const task = options.task as string;
      const count = options.count as number;
      const audit = options.audit as number;
      if (count + audit === 0 && options.dropAudit) {
        await singleTask(store, task);
        output.document({ dropped: await dropAudit(output, store, task) });
        return 0;
      }
      const place = {
        out: options.out as string,
        replace: options.replace as boolean,
        protectedPaths: await placesToKeepOut(workspace, { insideSources: isSheet(options.out as string) }),
      };
      // Before the audit set is drawn: what is drawn and not written would never be asked.
      await checkOutput(place.out, { ...place, kind: isSheet(place.out) ? 'file' : 'folder' });
      if (options.items === 'regions') await store.ensureTask({ name: task, rule: 'single', items: 'regions' });
      const { items } = await singleTask(store, task);
      const embedded = await runEmbed(invocation, workspace, { items, force: false });
      if (embedded.interrupted) return 130;
      noteLimit(invocation, embedded, items);
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
};

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

const errors: CommandSpec = {
  usage: 'teach errors',
  summary: 'labels that are probably wrong, the most doubtful first',
  details:
    "Judges people's and imported labels by models that had not seen them (cross-validation), machine labels by the\n" +
    'model itself. Run teach rounds first. Nothing is changed.',
  options: [
    TASK,
    { flags: '-n, --count <n>', description: 'labels to list', default: 20, parse: wholeNumber('--count', 1) },
    { flags: '--machine', description: 'machine labels too', default: false },
  ],
  examples: [['labelsmith teach errors -n 50', 'the fifty most doubtful labels']],
  async run({ options, global, output }) {
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      const fileOf = new Map<string, string>();
      for await (const { id, file } of workspace.store.dataset({ unlabelled: true })) fileOf.set(id, file);
      const all = await doubtsIn(workspace, options.task as string, [...fileOf.keys()]);
      const shown = all
        .filter(({ origin }) => options.machine === true || !isMachine(origin))
        .slice(0, options.count as number)
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
};

const predict: CommandSpec = {
  usage: 'teach predict <folder>',
  summary: 'a trained classifier on images anywhere, with no workspace',
  details:
    'Prints file,class,confidence as CSV, or a JSON document with --json. Files that cannot be read are listed on stderr.\n' +
    'With --limit N only the first N files are looked at.',
  options: [
    {
      flags: '-m, --model <file>',
      description: 'the classifier that teach rounds wrote (default: that of the workspace)',
    },
    TASK,
    {
      flags: '--threshold <confidence>',
      description: 'leave the class empty below this (default: every image gets its best guess)',
      parse: fraction('--threshold'),
    },
  ],
  limit: true,
  examples: [['labelsmith teach predict new/ --model class.onnx > labels.csv', 'a CSV of labels']],
  async run({ args, options, global, output, signal }) {
    const model =
      (options.model as string | undefined) ??
      join(global.workspace, MODELS_FOLDER, `${fileNameOf(options.task as string)}.onnx`);
    const classifier = await openClassifier(model, { threads: global.threads });
    try {
      const threshold = (options.threshold as number | undefined) ?? 0;
      const rows: { file: string; class: string; confidence: number }[] = [];
      const failed: { file: string; message: string }[] = [];
      let headed = false;
      // Not before there is something to say: a folder that is not there leaves stdout empty.
      const head = () => {
        if (!headed) output.line('file,class,confidence');
        headed = true;
      };
      for await (const prediction of predictFiles(classifier, await openSource(args[0], { cwd: process.cwd() }), {
        signal,
        limit: global.limit,
      })) {
        const file = relative(resolve(args[0]), prediction.path) || basename(prediction.path);
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
        output.note(`A pilot: the first ${plural(global.limit, 'file')} of ${args[0]} (--limit).`);
      if (rows.length + failed.length === 0) output.warn(`There are no images in ${args[0]}.`);
      return rows.length === 0 || (global.strict && failed.length > 0) ? 1 : 0;
    } finally {
      await classifier.close();
    }
  },
};

async function teachCommand(invocation: Invocation, labelRest: boolean): Promise<number> {
  const { options, global, output, signal } = invocation;
  const named = options.backbones as readonly string[] | undefined;
  for (const name of named ?? []) await requireEmbedder(name);
  const search = options.search as SearchWidth;
  const workspace = await openWorkspace(global.workspace, { create: false });
  try {
    const task = options.task as string;
    const { items } = await singleTask(workspace.store, task);
    await refuseUnlabelled(workspace.store, task);
    const embedded = await runEmbed(invocation, workspace, { items, force: false });
    if (embedded.interrupted) return 130;
    noteLimit(invocation, embedded, items);
    printUnread(output, embedded.counts);
    const { seed, threads } = global;
    const { onProgress, done } = invocation.runOptions();
    const result = await teachIn(workspace, {
      seed,
      threads,
      signal,
      task,
      threshold: (options.threshold as number | undefined) ?? DEFAULT_THRESHOLD,
      budgetMs: options.budget as number | undefined,
      techniques: labelRest ? undefined : [],
      search,
      views: options.views as number,
      openEmbedder: (model) => openEmbedder(model, { ...fetchOptionsFor(output, signal), threads }),
      labelRest,
      preparing: fetchOptionsFor(output, signal),
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
    print(invocation, result, labelRest);
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

function print({ output }: Invocation, result: TeachResult, labelRest: boolean): void {
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

function printAudit(
  output: Invocation['output'],
  { accuracy, interval: [low, high], count, ece, eceByChance }: Account,
): void {
  output.line(
    `Accuracy ${formatPercent(accuracy)} on ${plural(count, 'audit item')} (95 %: ${formatPercent(low)} to ${formatPercent(high)}), calibration error ${ece.toFixed(3)} (exactly right confidences would show ${eceByChance.toFixed(3)}).`,
  );
}

export const teachCommands: readonly CommandSpec[] = [select, train, rounds, errors, predict];
