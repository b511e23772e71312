/**
 * What all exports share: which images go in, their split, the counts, and the swap of the finished output.
 *
 * Guarantees: the same images, context and version give the same bytes; memory does not grow with the images but for
 * the paths' fingerprints (names.ts) and the splits (splits.ts); OUT is the old or the new export at any time (output.ts).
 */
import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DatasetImage, RegionRecord } from '../../core/dataset.ts';
import { writtenAccuracy } from '../../core/label-accuracy.ts';
import { Rehearsed } from '../../core/rehearsal.ts';
import { typedWord } from '../../core/shell-word.ts';
import { LabelsmithError } from '../../errors.ts';
import { type OutputOptions, writeOutput } from '../../files/output.ts';
import type { Signature } from '../../files/own.ts';
import type {
  ExportContext,
  ExportSummary,
  Format,
  FormatName,
  ImagesMode,
  ReaderName,
  WriteJob,
} from '../../formats/format.ts';
import { lostDetails, Tally } from '../../formats/format.ts';
import { formatNamed } from '../../formats/table.ts';

/** With what notes the images that went in. */
export interface NotedContext extends ExportContext {
  /** Everything is done but the swap at the end, and taken away again. Default false. */
  readonly dryRun?: boolean;
  readonly note?: { add(image: DatasetImage): Promise<void>; finish(): Promise<string> };
}

/** @param images in order of id, as the store's `dataset` gives them; `unlabelled` in its query if the context asks it */
export async function exportDataset(
  name: FormatName,
  out: string,
  images: AsyncIterable<DatasetImage>,
  context: NotedContext,
): Promise<ExportSummary> {
  const writing = new Writing(name, images, context);
  const { format, job } = writing;
  const write = async (target: string) => {
    await format.write(writing.images, target, job);
    await writing.end();
  };
  const options = outputOptions(format, context, {
    facts: () => writing.facts(),
    onMovedAside: (names, to) =>
      job.tally.problems.push(`not written by labelsmith, and moved to ${to}: ${names.join(', ')}`),
  });
  return writing.summary(await rehearsable(out, context, () => writeOutput(out, options, write)));
}

/** What is the same for an export that is written as one and one that is written in parts. */
export class Writing {
  readonly format: Format;
  readonly job: WriteJob;
  /** Those that go in, each once. */
  readonly images: AsyncGenerator<DatasetImage>;
  /** Of what it shows, once it is written. */
  digest: string | undefined;
  readonly #context: NotedContext;

  constructor(name: FormatName, images: AsyncIterable<DatasetImage>, context: NotedContext) {
    const tally = new Tally();
    this.format = formatNamed(name);
    this.#context = context;
    this.job = { ...context, images: imagesModeOf(this.format, context), tally };
    refuseMisfit(this.format, context);
    this.images = selected(images, this.format, context, tally);
  }

  /** All is written that will be. */
  async end(): Promise<void> {
    const { onEmpty, dryRun, note } = this.#context;
    const { tally } = this.job;
    // Where images could not be written, that is why, and it is told.
    const nothing = tally.labels === 0 && !tally.negatives && tally.failedImages === 0;
    if (nothing && onEmpty) throw await onEmpty();
    if (dryRun) throw new Rehearsed(null);
    this.digest = await note?.finish();
  }

  facts(): Readonly<Record<string, unknown>> {
    const { accuracy = [] } = this.#context;
    return {
      ...(accuracy.length > 0 ? { accuracy: accuracy.map(writtenAccuracy) } : {}),
      ...(this.digest === undefined ? {} : { digest: this.digest }),
    };
  }

  summary(out: string): ExportSummary {
    return summaryOf(this.format, out, this.job);
  }
}

function summaryOf(format: Format, out: string, { tally, splits }: WriteJob): ExportSummary {
  return {
    format: format.name,
    out,
    images: tally.images,
    regions: tally.regions,
    labels: tally.labels,
    unlabelledSkipped: tally.unlabelledSkipped,
    backgroundImages: tally.backgroundImages,
    splits: Object.fromEntries((splits?.names ?? []).map((split) => [split, tally.splits.get(split) ?? 0])),
    lost: Object.fromEntries([...tally.lost].sort(([a], [b]) => (a < b ? -1 : 1))),
    failedImages: tally.failedImages,
    problems: tally.problems,
    renamed: tally.renamed,
    loses: format.loses,
  };
}

/** Where `out` is; in a dry run, where it would be. The folders above it that were made for it go again then. */
export async function rehearsable(
  out: string,
  { dryRun }: Pick<NotedContext, 'dryRun'>,
  work: () => Promise<string>,
): Promise<string> {
  if (!dryRun) return work();
  const path = resolve(out);
  const made: string[] = [];
  for (let at = dirname(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) made.push(at);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error;
    return path;
  } finally {
    for (const folder of made) await rmdir(folder).catch(() => {});
  }
}

/** What the marker of an export's folder says that it is. */
export const exportTo = (name: ReaderName) => `export to ${name}`;

/** How an export of ours to one file is known from other files. */
const SIGNATURES: Partial<Readonly<Record<FormatName, Signature>>> = {
  csv: { begins: 'file,class,confidence,origin,task' },
  jsonl: { begins: '{"file":"', holds: '"sha256":"' },
  parquet: { begins: 'PAR1', endHolds: 'Labelsmith ' },
};

function outputOptions(
  { name, kind }: Format,
  { replace, protectedPaths, accuracy = [] }: ExportContext,
  ofFolder: Pick<Extract<OutputOptions, { readonly kind: 'folder' }>, 'facts' | 'onMovedAside'>,
): OutputOptions {
  const what = exportTo(name);
  if (kind === 'folder') return { kind, what, ...ofFolder, replace, protectedPaths };
  const signature = SIGNATURES[name];
  if (signature === undefined) throw new Error(`nothing says how a file of the format ${name} is known`);
  const beside = accuracy.length > 0 ? { accuracy: accuracy.map(writtenAccuracy) } : null;
  return { kind, what, signature, beside, replace, protectedPaths };
}

function imagesModeOf(format: Format, context: ExportContext): ImagesMode {
  const mode = context.images ?? format.defaultImages;
  if (format.imageFiles === 'never' && mode !== 'none')
    throw new LabelsmithError(
      'USAGE',
      `${format.name} has no place for image files, so --images ${mode} cannot be done`,
      {
        hint: 'Leave --images out, or export to coco, yolo, voc or folders.',
      },
    );
  if (format.imageFiles === 'always' && mode === 'none')
    throw new LabelsmithError('USAGE', `${format.name} is made of image files, so --images none leaves nothing`, {
      hint: 'Use --images copy, hardlink or symlink, or export to csv.',
    });
  return mode;
}

/** What to do with a task on whole images that a format of boxes was asked for. */
export function imageTaskHint(format: string, task: string): string {
  return format.startsWith('yolo')
    ? `A YOLO that classifies learns from folders: labelsmith export folders OUT --task ${typedWord(task)} --split train=.8,val=.2. For boxes name a task on regions with --task.`
    : 'Export it to folders, csv or jsonl, or name a task on regions with --task.';
}

function refuseMisfit(format: Format, { task, margin, crop }: ExportContext): void {
  if (format.holds === 'regions' && task?.items === 'images')
    throw new LabelsmithError('USAGE', `${format.name} holds boxes, and the task ${task.name} labels whole images`, {
      hint: imageTaskHint(format.name, task.name),
    });
  if (format.holds === 'images' && task === null)
    throw new LabelsmithError('USAGE', `${format.name} puts each image under one class, so it needs one task`, {
      hint: 'Name it with --task.',
    });
  if (format.name === 'crops') {
    if (!(margin >= 0 && margin <= 1))
      throw new LabelsmithError('USAGE', `the margin of crops is a fraction of the box, 0 to 1, not ${margin}`);
    if (crop === undefined) throw new Error('an export of crops needs a crop function in its context');
  }
}

/** Images that go in, in the order of their ids, each with its split. */
async function* selected(
  images: AsyncIterable<DatasetImage>,
  format: Format,
  context: NotedContext,
  tally: Tally,
): AsyncGenerator<DatasetImage> {
  const known = new Set(context.classNames);
  const check = (className: string) => {
    if (known.has(className)) return;
    throw new LabelsmithError('BUSY', `the class ${className} is not among the export's class names`, {
      hint: 'Classes were changed while this was exported. Run it again when nobody changes them.',
      details: { changed: className },
    });
  };
  let previous = '';
  let done = 0;
  for await (const whole of images) {
    const image = context.task === null ? whole : ofTask(whole);
    if (context.signal?.aborted)
      throw new LabelsmithError('INTERRUPTED', 'the export was interrupted; the output is as it was before');
    if (image.id <= previous) throw new Error(`images to export are out of order: ${image.id} after ${previous}`);
    previous = image.id;
    for (const label of image.labels) check(label.className);
    for (const region of image.regions) for (const label of region.labels) check(label.className);
    if (!isWritten(image, format, context)) {
      tally.unlabelledSkipped++;
      continue;
    }
    if (saysNothing(image, format)) {
      tally.backgroundImages++;
    } else if (format.keeps.rejections && !hasLabel(image)) tally.negatives = true;
    countLosses(image, format, tally);
    await context.note?.add(image);
    yield { ...image, split: context.splits?.splitOf(image) ?? null };
    context.onProgress?.(++done);
  }
}

/**
 * Of an export of one task, without regions of which nothing is said in it: an empty list of classes would read as if somebody had
 * taken them away.
 */
function ofTask(image: DatasetImage): DatasetImage {
  const isSaid = ({ labels, rejected = [] }: RegionRecord) => labels.length + rejected.length > 0;
  return { ...image, regions: image.regions.filter(isSaid) };
}

/** Whether an image goes in. */
export function isWritten(
  image: DatasetImage,
  format: Format,
  { unlabelled }: Pick<ExportContext, 'unlabelled'>,
): boolean {
  return unlabelled || !saysNothing(image, format);
}

function hasLabel({ labels, regions }: Pick<DatasetImage, 'labels' | 'regions'>): boolean {
  return labels.length > 0 || regions.some((region) => region.labels.length > 0);
}

/** Whether an export ended because classes were renamed while it was written. */
export function isAboutChangedClasses(error: unknown): boolean {
  return error instanceof LabelsmithError && error.code === 'BUSY' && 'changed' in error.details;
}

/** No label anywhere, and nothing else that the format keeps of what people said. */
function saysNothing({ labels, regions, rejected = [], deleted = [] }: DatasetImage, { keeps }: Format): boolean {
  if (hasLabel({ labels, regions })) return false;
  if (!keeps.rejections) return true;
  return rejected.length === 0 && deleted.length === 0 && regions.every((region) => !region.rejected?.length);
}

function countLosses({ labels, regions, rejected, deleted }: DatasetImage, { keeps }: Format, tally: Tally): void {
  if (!keeps.rejections) {
    const rejections =
      (rejected?.length ?? 0) + regions.reduce((sum, region) => sum + (region.rejected?.length ?? 0), 0);
    tally.lose('rejections', rejections);
    tally.lose('deleted regions', deleted?.length ?? 0);
  }
  if (keeps.imageLabels === 'none') tally.lose('classes of whole images', labels.length);
  if (keeps.boxes === 'none') {
    tally.lose('regions', regions.length);
    return;
  }
  for (const region of regions) {
    if (!keeps.masks && region.mask !== null) tally.lose('masks');
    if (!keeps.polygons && region.polygons !== null) tally.lose('polygons');
    if (!keeps.keypoints && region.keypoints !== null) tally.lose('keypoints');
    if (!keeps.crowd && region.crowd) tally.lose('crowd marks');
    for (const detail of lostDetails(region.details, keeps)) tally.lose(detail);
  }
}
