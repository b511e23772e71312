import { existsSync } from 'node:fs';
import { z } from 'zod';
import { formatCount, plural } from '../../core/count-text.ts';
import { shellWord } from '../../core/shell-word.ts';
import { LabelsmithError } from '../../errors.ts';
import { placeOfWorkspace } from '../../jobs/place.ts';
import { taughtPath } from '../../jobs/taught-files.ts';
import { type Classifier, openClassifier } from '../../stages/classify/classifier-file.ts';
import { classifierFiles, taughtClassifier } from '../../stages/classify/classify-with.ts';
import { type FilePrediction, PREDICTION_COLUMNS, predictBelow, predictionRow } from '../../stages/classify/predict.ts';
import { type PredictedTo, predictByWorkers, predictTo } from '../../stages/classify/predict-to.ts';
import { type Context, command } from '../command.ts';
import type { Output } from '../output.ts';
import { fraction, outPlace } from '../text-values.ts';
import { argument, option } from '../values.ts';
import { oneLine } from '../words.ts';
import { refuseFleetParts, withWorkspace } from '../workspace.ts';
import { PART } from './part-option.ts';
import { TASK } from './teach-learn.ts';

export const predict = command({
  name: 'teach predict',
  summary: 'a trained classifier on images anywhere, with no workspace',
  details:
    'Prints file,class,confidence as CSV, or a JSON document with --json. Files that cannot be read are listed on stderr.\n' +
    'With --limit N only the first N files are looked at.\n\n' +
    'With --out PLACE the rows go into labels.csv there, and index.json beside it says what they are of and lists the\n' +
    'files that could not be read. Killed and run again, it goes on. Several processes do a part each with --shard, and\n' +
    'the one that ends last writes the file: the same bytes. With --fleet the workers of a workspace do all of it.',
  args: { folder: argument('<folder>', 'images: anything that add takes', z.string()) },
  options: {
    model: option(
      '-m, --model <file>',
      'the classifier that teach rounds wrote: its file, or its name in the workspace (default: that of the task)',
      z.string().optional(),
    ),
    task: TASK,
    threshold: option(
      '--threshold <confidence>',
      'leave the class empty below this (default: every image gets the class that is likeliest)',
      fraction().optional(),
    ),
    out: option(
      '--out <place>',
      'write labels.csv and index.json there, to a folder or s3://, gs:// or az://BUCKET/PREFIX',
      outPlace().optional(),
    ),
    ...PART,
  },
  limit: true,
  examples: [
    ['labelsmith teach predict new/ --model class.onnx > labels.csv', 'a CSV of labels'],
    ['labelsmith teach predict s3://new --model class.onnx --out s3://work/new', 'goes on where it was killed'],
    [
      'labelsmith teach predict s3://new --model class.onnx --out s3://work/new --shard 0/4',
      'a quarter of it, beside three other processes',
    ],
  ],
  async run({ args: { folder }, options, ...context }) {
    const { global } = context;
    const { threads, device, fleet } = global;
    const { shard, out } = options;
    refuseFleetParts(fleet, shard);
    if (shard !== undefined && out === undefined) {
      throw new LabelsmithError('USAGE', 'Parts (--shard) need a place that all of them write to.', {
        hint: 'Name it with --out: a folder that all of them reach, or s3://, gs:// or az://BUCKET/PREFIX.',
      });
    }
    const model = await classifierOf(options, context);
    const classifier = await openClassifier(model, { threads, device });
    try {
      if (out === undefined && !fleet) return await predictHere(classifier, folder, options, context);
      return await predictTogether(classifier, folder, options, context);
    } finally {
      await classifier.close();
    }
  },
});

/** A file, or what a name means in the workspace, of which nothing but that file need be there. */
async function classifierOf({ model, task }: Wanted, context: Context): Promise<string> {
  if (model !== undefined && (/[/\\]|\.onnx$/i.test(model) || existsSync(model))) return model;
  const name = model ?? task;
  const path = await taughtHere(name, context);
  if (path !== undefined) return path;
  const base = await taughtHere(`${name}.base`, context);
  const made =
    base === undefined ? '' : `teach train made the base model alone: --model ${shellWord(`${name}.base`)} takes it. `;
  throw new LabelsmithError('NOT_FOUND', `No classifier ${JSON.stringify(name)} was taught in this workspace.`, {
    hint: `${made}labelsmith teach rounds makes one of all labels. Or name its file with --model.`,
  });
}

async function taughtHere(name: string, context: Context): Promise<string | undefined> {
  const { dir, isShared } = placeOfWorkspace(context.global.workspace);
  if (isShared) return withWorkspace(context, (opened) => taughtClassifier(opened, name));
  return classifierFiles(name)
    .map((file) => taughtPath({ dir }, file))
    .find((path) => existsSync(path));
}

interface Wanted {
  readonly model?: string;
  readonly task: string;
}

interface Asked {
  readonly threshold?: number;
  readonly out?: string;
  readonly shard?: Parameters<typeof predictTo>[3]['part'];
}

/** Image by image, as they are done. */
async function predictHere(
  classifier: Classifier,
  folder: string,
  { threshold }: Asked,
  { global: { limit, strict }, output, signal }: Context,
): Promise<number> {
  const told = predictionTeller(output);
  for await (const prediction of predictBelow(classifier, folder, { signal, limit, threshold })) told.add([prediction]);
  told.document(classifier);
  if (signal.aborted) return 130;
  const { done, failed } = told.counts;
  if (done + failed === limit) output.note(subsetNote(limit, folder));
  if (done + failed === 0) output.warn(noImages(folder));
  return done === 0 || (strict && failed > 0) ? 1 : 0;
}

/** By several processes, or so that it can be gone on with. */
async function predictTogether(
  classifier: Classifier,
  folder: string,
  { threshold, out, shard }: Asked,
  context: Context,
): Promise<number> {
  const { global, output } = context;
  const { limit, strict, fleet } = global;
  const { done: endProgress, ...run } = context.runOptions();
  const told = predictionTeller(output);
  const onPredicted = (predictions: readonly FilePrediction[]) => {
    if (out === undefined) told.add(predictions);
    else for (const one of predictions) if (one.kind === 'failed') warnFailed(output, one);
  };
  const asked = { ...run, threshold, onPredicted };
  const byWorkers = () =>
    withWorkspace(context, (workspace) => predictByWorkers(workspace, classifier, folder, { ...asked, out }));
  const here = (place: string) => predictTo(classifier, folder, place, { ...asked, part: shard });
  const predicted = await (fleet || out === undefined ? byWorkers() : here(out));
  endProgress();
  if (predicted.kind === 'interrupted') return 130;
  if (predicted.kind === 'no files' || (predicted.kind === 'told' && told.counts.done + told.counts.failed === 0)) {
    output.warn(noImages(folder));
    return 1;
  }
  if (predicted.kind === 'told') {
    told.document(classifier);
    return told.counts.done === 0 || (strict && told.counts.failed > 0) ? 1 : 0;
  }
  if (predicted.whole.files === limit) output.note(subsetNote(limit, folder));
  return tellWritten(predicted, classifier, context);
}

function tellWritten(
  { kind, labels, whole }: Extract<PredictedTo, { readonly labels: string }>,
  { key, info }: Classifier,
  { global, output }: Context,
): number {
  const { predicted, failed, files, sha256 } = whole;
  output.document({ model: key, task: info.task, images: predicted, files, failed, labels, sha256 });
  const is = kind === 'written' ? 'are in' : 'are there already, in';
  output.summary(`Labels of ${plural(predicted, 'image')} ${is} ${labels}.`);
  if (failed.length > 0) {
    output.warn(`${plural(failed.length, 'file')} of ${formatCount(files)} could not be read: index.json lists them.`);
  }
  return predicted === 0 || (global.strict && failed.length > 0) ? 1 : 0;
}

const subsetNote = (limit: number, folder: string) =>
  `A subset: the first ${plural(limit, 'file')} of ${folder} (--limit).`;
const noImages = (folder: string) => `There are no images in ${folder}.`;

function warnFailed(output: Output, { file, message }: { readonly file: string; readonly message: string }): void {
  output.warn(`${oneLine(file)}: ${oneLine(message)}`);
}

/** CSV on stdout, whose head comes when there is something to say: a folder that is not there leaves stdout empty. */
function predictionTeller(output: Output) {
  let headed = false;
  const head = () => {
    if (!headed) output.line(PREDICTION_COLUMNS.trimEnd());
    headed = true;
  };
  // For the document alone: as CSV the files are not held.
  const predictions: unknown[] = [];
  const unread: unknown[] = [];
  const counts = { done: 0, failed: 0 };
  return {
    counts,
    add(found: readonly FilePrediction[]) {
      for (const prediction of found) {
        const { kind, ...rest } = prediction;
        counts[kind]++;
        if (output.json) (kind === 'done' ? predictions : unread).push(rest);
        if (prediction.kind === 'failed') warnFailed(output, prediction);
        else {
          head();
          output.line(predictionRow(prediction).trimEnd());
        }
      }
    },
    document({ key, info }: Classifier) {
      head();
      output.document({ model: key, task: info.task, images: counts.done, predictions, failed: unread });
    },
  };
}
