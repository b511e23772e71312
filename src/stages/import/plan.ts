/**
 * The plan of an import: everything is read, matched, placed and named before anything is written, so that what is wrong
 * late in a file ends the import with nothing done. Going through the file again then gives the same entries, and
 * nothing of them can be refused any more.
 *
 * Resident: 50 to 100 bytes a label of an image, 16 to 32 an image, and the names of classes.
 */
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { FingerprintSet } from '../../core/fingerprints.ts';
import type { ImageId } from '../../core/ids.ts';
import type { ImageRecord } from '../../core/image.ts';
import { badFile } from '../../formats/check.ts';
import type { ImportedClass } from '../../formats/format.ts';
import { MAX_OBJECTS } from '../../formats/mend.ts';
import { MAX_NAME_CHARACTERS } from '../../formats/names.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import type { Store } from '../../store/store.ts';
import { type Answers, answersIn } from './answers.ts';
import { type ClassMode, FileNames, type NewClass } from './classes.ts';
import { deletedInside, regionsInside } from './frame.ts';
import type { Match } from './match.ts';
import { withoutRepeats } from './repeats.ts';
import type { ResolvedLabels } from './resolve.ts';
import { ContradictionsOfImages, noteOtherClasses } from './same-picture.ts';
import { boxesOfTheirTasks } from './task-kinds.ts';
import { type DisagreementRule, mergedVotes, orderedVotes, type VoteOptions } from './votes.ts';

/** An entry of the file and its image, its regions in pixels of the image and its names those of the corpus. */
export interface PlannedEntry extends ImportedImage {
  readonly image: ImageRecord;
  /** The file says of the image that nothing is on it. */
  readonly isEmpty?: true;
}

export interface ImportPlan {
  readonly matched: number;
  readonly unmatched: number;
  /** Where the first unmatched entries stand, and why. */
  readonly unmatchedWhere: readonly string[];
  readonly answers: Answers;
  readonly newClasses: readonly NewClass[];
  /** What the file says of its classes beside their names. */
  readonly toldClasses: readonly ImportedClass[];
  /** Images of more than one entry. */
  readonly repeated: ReadonlySet<ImageId>;
  /** One of our own exports wrote it. */
  readonly ownExport: boolean;
  /** Tasks that its regions and its images name; null: none is named. */
  readonly regionTasks: ReadonlySet<string | null>;
  readonly imageTasks: ReadonlySet<string | null>;
  /** Tasks that it names, under the names that they are kept by. */
  readonly tasks: ReadonlySet<string>;
  readonly hasLabels: boolean;
  /** Goes through what will be written, in the order of the file. */
  entries(): AsyncIterable<PlannedEntry>;
}

export interface PlanOptions {
  readonly task?: string;
  /** Two equal objects are two: what a person handed in may be compared with an export that had both. */
  readonly keepRepeats: boolean;
  readonly classes: ClassMode;
  /** An image with no box in the file is one that nothing is on, as in formats that detectors are trained on. */
  readonly emptyMeansNothing: boolean;
  readonly toldClasses: readonly ImportedClass[];
  readonly disagreement: DisagreementRule;
  readonly reckoning: Reckoning;
}

const MAX_UNMATCHED_SHOWN = 50;

type PlanStore = Pick<Store, 'classes' | 'tasks'>;

export async function planImport(
  store: PlanStore,
  path: string,
  resolved: ResolvedLabels,
  options: PlanOptions,
): Promise<ImportPlan> {
  const { reckoning } = options;
  const ofImages = (await store.tasks()).filter(({ items }) => items === 'images').map(({ name }) => name);
  const placing = {
    rule: options.disagreement,
    keepRepeats: options.keepRepeats,
    emptyMeansNothing: options.emptyMeansNothing,
    // What was asked for stands in place of the tasks that the file names.
    imageTasks: new Set(options.task === undefined ? ofImages : []),
  };
  const answers = await answersIn(store, resolved.read(), options.task);
  const names = new FileNames(await store.classes());
  const seen = new ContradictionsOfImages(reckoning);
  let [matched, unmatched] = [0, 0];
  let ownExport = false;
  const images = new FingerprintSet();
  const repeated = new Set<ImageId>();
  const [regionTasks, imageTasks] = [new Set<string | null>(), new Set<string | null>()];
  const unmatchedWhere: string[] = [];
  for await (const entry of resolved.read()) {
    const { image, match } = await resolved.find(entry);
    if (image === null) {
      unmatched++;
      const why = tellUnmatched(entry, match, reckoning);
      if (unmatchedWhere.length < MAX_UNMATCHED_SHOWN) unmatchedWhere.push(`${entry.where}: ${entry.file} ${why}`);
      continue;
    }
    matched++;
    if (!images.add(image.id)) repeated.add(image.id);
    if (match.kind === 'matched' && match.by === 'upload') reckoning.note('name-of-upload', entry.where, entry.file);
    ownExport ||= entry.ownExport === true;
    for (const { task } of entry.labels) imageTasks.add(task);
    for (const region of entry.regions) for (const { task } of region.labels) regionTasks.add(task);
    reckoning.take('images');
    if (answers.isContradictory(entry)) continue;
    const placed = placedEntry(entry, image, { ...placing, reckoning });
    meetNames(placed, names);
    seen.add(placed);
  }
  if (matched + unmatched === 0) throw nothingIn(path, reckoning);
  const newClasses = names.settle(options.classes, reckoning);

  // Choices of a whole image that were left open say nothing of boxes.
  const handedInMeansNothing = imageTasks.size === 0 || regionTasks.size > 0;
  async function* entries(): AsyncGenerator<PlannedEntry> {
    const silent = new Reckoning();
    for await (const entry of resolved.read()) {
      const { image } = await resolved.find(entry);
      if (image === null || answers.isContradictory(entry)) continue;
      const emptyMeansNothing = placing.emptyMeansNothing || (handedInMeansNothing && entry.handedIn === true);
      yield renamedEntry(placedEntry(entry, image, { ...placing, emptyMeansNothing, reckoning: silent }), names);
    }
  }
  if (regionTasks.size > 0) await noteOtherClasses(entries, seen.inSeveralFiles, reckoning);
  const toldClasses = options.toldClasses.flatMap((told) => {
    const className = names.has(told.className) ? names.nameOf(told.className) : null;
    return className === null ? [] : [{ ...told, className }];
  });
  return {
    matched,
    unmatched,
    unmatchedWhere,
    answers,
    newClasses,
    toldClasses,
    repeated,
    ownExport,
    regionTasks,
    imageTasks,
    tasks: new Set([...regionTasks, ...imageTasks].flatMap((name) => (name === null ? [] : [names.taskOf(name)]))),
    hasLabels: regionTasks.size + imageTasks.size > 0,
    entries,
  };
}

/**
 * Entries with all that the file says of an image in one, where it says it in several: those that do come last. Resident: the
 * entries of images that have several.
 */
export async function* gathered({
  entries,
  repeated,
}: Pick<ImportPlan, 'entries' | 'repeated'>): AsyncGenerator<PlannedEntry> {
  const waiting = new Map<ImageId, PlannedEntry>();
  for await (const entry of entries()) {
    const { id } = entry.image;
    if (!repeated.has(id)) {
      yield entry;
      continue;
    }
    const before = waiting.get(id);
    const [labels, regions] = [before?.labels ?? [], before?.regions ?? []];
    waiting.set(id, { ...entry, labels: [...labels, ...entry.labels], regions: [...regions, ...entry.regions] });
  }
  yield* waiting.values();
}

function nothingIn(path: string, reckoning: Reckoning) {
  const [problem] = reckoning.report().problems;
  const [example] = problem?.examples ?? [];
  if (example === undefined) return badFile(path, 'there is nothing in it to import');
  const what = example.what === undefined ? problem.text : example.what;
  return badFile(path, `nothing in it can be imported; ${example.where}: ${what}`);
}

function tellUnmatched(entry: ImportedImage, match: Match, reckoning: Reckoning): string {
  const ambiguous = match.kind === 'ambiguous';
  const why = ambiguous ? `could be ${match.candidates.join(' or ')}` : 'matches no image';
  const others = entry.otherNames === undefined ? '' : ` (or ${entry.otherNames.join(', ')})`;
  const copied = ambiguous ? null : copyOf(entry.file);
  reckoning.note(
    ambiguous ? 'several-images' : 'no-image',
    entry.where,
    `${entry.file}${others}${ambiguous ? ` ${why}` : ''}${copied === null ? '' : `; ${copied}`}`,
  );
  reckoning.note('objects-unmatched', entry.where, undefined, entry.regions.length);
  reckoning.note('labels-unmatched', entry.where, undefined, entry.labels.length);
  return why;
}

/** Whose copy a file of Roboflow is: its labels are of the copy, which may be cropped, mirrored or stretched. */
function copyOf(file: string): string | null {
  if (file.length > MAX_NAME_CHARACTERS) return null;
  const name = /([^/\\]+)\.rf\.[0-9A-Za-z]{8,}(?:\.[a-z]+)?$/.exec(file)?.[1];
  return name === undefined
    ? null
    : `Roboflow's copy of ${name.replace(/_([a-z]+)$/i, '.$1')}: add the pictures of the export`;
}

type PlacingOptions = VoteOptions &
  Pick<PlanOptions, 'keepRepeats' | 'emptyMeansNothing'> & { readonly imageTasks: ReadonlySet<string> };

function placedEntry(
  entry: ImportedImage,
  image: ImageRecord,
  { keepRepeats, emptyMeansNothing, imageTasks, ...votes }: PlacingOptions,
): PlannedEntry {
  const { reckoning } = votes;
  const few = entry.regions.slice(0, MAX_OBJECTS);
  reckoning.note('too-many-objects', entry.where, `more than ${MAX_OBJECTS}`, entry.regions.length - few.length);
  const kept = boxesOfTheirTasks(few, { imageTasks, reckoning, where: entry.where });
  const inside = regionsInside({ ...entry, regions: kept }, image, reckoning);
  const different = keepRepeats ? inside : withoutRepeats(entry, inside, reckoning);
  const regions = mergedVotes({ ...entry, regions: different }, votes);
  const labels = orderedVotes(entry, votes);
  return {
    ...entry,
    image,
    regions,
    labels,
    ...(emptyMeansNothing && saysNothing(entry) ? { isEmpty: true } : {}),
    ...(entry.deleted === undefined ? {} : { deleted: deletedInside(entry, image, reckoning) }),
  };
}

function saysNothing({ labels, regions, rejected = [], deleted = [], incomplete }: ImportedImage): boolean {
  return !incomplete && labels.length + regions.length + rejected.length + deleted.length === 0;
}

/** Counts what is taken of an entry whose names are settled. */
export function countTaken({ regions, labels, split, attributes }: PlannedEntry, reckoning: Reckoning): void {
  reckoning.take('objects', regions.length);
  reckoning.take('labels', labels.length);
  reckoning.take('splits', split === null ? 0 : 1);
  for (const region of regions) {
    const shapes = [region.mask, region.polygons, region.keypoints].filter((shape) => shape !== null);
    reckoning.take('shapes', shapes.length);
    reckoning.take('attributes', attributeCount(region));
  }
  reckoning.take('attributes', Object.keys(attributes ?? {}).length);
}

function attributeCount({ details }: ImportedRegion): number {
  if (details === undefined) return 0;
  const { attributes = {}, ...others } = details;
  return Object.keys(others).length + Object.keys(attributes).length;
}

interface Annotation {
  readonly className: string;
  readonly task: string | null;
  readonly annotator?: string | null;
}

function meetNames(entry: PlannedEntry, names: FileNames): void {
  const meet = (annotations: readonly Annotation[], where: string, ofObject = false) => {
    for (const { className, task, annotator } of annotations) {
      names.meetClass(className, where, ofObject);
      if (annotator != null) names.meetAnnotator(annotator, where);
      if (task !== null) names.meetTask(task, where);
    }
  };
  meet(entry.labels, entry.where);
  meet(entry.rejected ?? [], entry.where);
  for (const [i, region] of [...entry.regions, ...(entry.deleted ?? [])].entries()) {
    meet(region.labels, region.where ?? entry.where, i < entry.regions.length && region.labels.length === 1);
    meet(region.rejected ?? [], region.where ?? entry.where);
  }
}

function renamedEntry(entry: PlannedEntry, names: FileNames): PlannedEntry {
  const rename = <T extends Annotation>(annotations: readonly T[]): T[] =>
    annotations.flatMap((one) => {
      const className = names.nameOf(one.className);
      const by = one.annotator == null ? {} : { annotator: names.annotatorOf(one.annotator) };
      return className === null
        ? []
        : [{ ...one, className, task: one.task === null ? null : names.taskOf(one.task), ...by }];
    });
  const ofRegion = (region: ImportedRegion): ImportedRegion => ({
    ...region,
    labels: rename(region.labels),
    ...(region.rejected === undefined ? {} : { rejected: rename(region.rejected) }),
  });
  return {
    ...entry,
    labels: rename(entry.labels),
    // A region whose only class is left out would come back as one that nobody can name.
    regions: entry.regions.flatMap((region) => {
      const renamed = ofRegion(region);
      return region.labels.length > 0 && renamed.labels.length === 0 ? [] : [renamed];
    }),
    ...(entry.rejected === undefined ? {} : { rejected: rename(entry.rejected) }),
    ...(entry.deleted === undefined ? {} : { deleted: entry.deleted.map(ofRegion) }),
  };
}
