/**
 * A person's corrections: the file is the state of the pictures in it. Boxes that moved move, classes that changed
 * change, what is gone from the file becomes a tombstone, a machine's boxes that the person saw and left become the
 * person's. Only tasks that the file is about are touched, and only what its format can say.
 *
 * A region of the file is the one of the workspace that our export wrote there, where the file still says it, else the
 * one at its place. Nothing that a person said before is lost: it stays in the record, and the reckoning tells of it.
 */
import { type Box, iou } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { RegionId } from '../../core/ids.ts';
import { currentLabels, type Label, revisionOfLabel } from '../../core/labels.ts';
import type { Keeps } from '../../formats/format.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import type { NewLabel, StoredRegion } from '../../store/store.ts';
import type { PlannedEntry } from './plan.ts';
import { type RowOptions, regionOf } from './rows.ts';

export interface Corrections {
  added: number;
  /** Moved, or of another class. */
  changed: number;
  removed: number;
  /** As they were: now people's word. */
  confirmed: number;
}

export interface CorrectionRows {
  readonly regions: readonly StoredRegion[];
  readonly removed: readonly RegionId[];
  readonly labels: readonly NewLabel[];
}

export interface CorrectionContext {
  readonly options: RowOptions;
  readonly keeps: Keeps;
  /** Tasks that regions of the file are about, and tasks on whole images that it is about. */
  readonly regionTasks: ReadonlySet<string>;
  readonly imageTasks: ReadonlySet<string>;
  /** Of the image: regions that are not deleted, and labels of them and of the image. */
  readonly regions: readonly StoredRegion[];
  readonly labelsOf: (itemId: string) => readonly Label[];
  readonly corrections: Corrections;
  readonly reckoning: Reckoning;
  /** The revision that the file was exported at; what was said later is not in it. Null where that is not known. */
  readonly exportedAt: number | null;
}

/** A region is at the place of another from here on. */
const SAME_PLACE_IOU = 0.5;

export function correctionsOf(entry: PlannedEntry, context: CorrectionContext): CorrectionRows {
  const { options, keeps, regionTasks, corrections } = context;
  const labels: NewLabel[] = [];
  const regions: StoredRegion[] = [];
  const held = (item: string) => holding(context.labelsOf(item), regionTasks);
  // What the format cannot say is left alone: a box without a class is in no export.
  const there = keeps.boxes === 'none' ? [] : context.regions.filter(({ id }) => held(id).length > 0);
  const given = grouped(entry);
  const pairs = paired(given, there, (id) => held(id).map(({ className }) => className));
  const seen = new Map<string, number>();
  for (const [region, before] of pairs) {
    const made = regionOf(region, entry, options, seen);
    if (before === null) {
      regions.push(made);
      labels.push(...region.labels.map((label) => person(made.id, label, context, 'objects')));
      corrections.added++;
      continue;
    }
    const moved = before.box.some((edge, i) => Math.abs(edge - made.box[i]) > tolerance(keeps, entry, i));
    regions.push(corrected(before, made, moved, keeps));
    const changed = relabelled(before.id, region, held(before.id), context, labels);
    if (changed) tell(entry, before.id, context);
    if (moved || changed) corrections.changed++;
    else corrections.confirmed++;
  }
  const kept = new Set([...pairs.values()].flatMap((before) => (before === null ? [] : [before.id])));
  const missing = there.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
  const removed = missing.filter((id) => !isNewer(context.labelsOf(id), entry, context));
  for (const id of removed) tell(entry, id, context);
  corrections.removed += removed.length;
  labels.push(...imageLabels(entry, context));
  return { regions, removed, labels };
}

/** Labels that hold in any of these tasks. */
function holding(labels: readonly Label[], tasks: ReadonlySet<string>): Label[] {
  return [...tasks].flatMap((task) =>
    currentLabels(
      labels.filter((label) => label.task === task),
      'multi',
    ),
  );
}

type Grouped = ImportedRegion & { readonly key: RegionId | null };

/** Entries of one region, a class each, together: those of one id, or of just one place. */
function grouped(entry: PlannedEntry): Grouped[] {
  const groups = new Map<string, Grouped>();
  for (const region of entry.regions) {
    const own = entry.sha256 === entry.image.id ? region.id : undefined;
    const key = region.writtenAs ?? own ?? null;
    const place = key ?? region.box.map((edge) => edge.toFixed(2)).join(' ');
    const known = groups.get(place);
    const isNew = region.labels.every(({ className }) => known?.labels.every((label) => label.className !== className));
    if (known !== undefined && isNew) groups.set(place, { ...known, labels: [...known.labels, ...region.labels] });
    else groups.set(known === undefined ? place : `${place} ${groups.size}`, { ...region, key });
  }
  return [...groups.values()];
}

/** By id first, then by place, the best first; of one class before another. */
function paired(
  given: readonly Grouped[],
  there: readonly StoredRegion[],
  classesOf: (id: RegionId) => readonly string[],
): Map<Grouped, StoredRegion | null> {
  const pairs = new Map<Grouped, StoredRegion | null>(given.map((region) => [region, null]));
  const free = new Map(there.map((region) => [region.id, region]));
  for (const region of given) {
    const known = region.key === null ? undefined : free.get(region.key);
    if (known === undefined) continue;
    pairs.set(region, known);
    free.delete(known.id);
  }
  const options = given
    .filter((region) => pairs.get(region) === null)
    .flatMap((region) =>
      [...free.values()].flatMap((before) => {
        const overlap = iou(region.box, before.box);
        if (overlap < SAME_PLACE_IOU) return [];
        const classes = classesOf(before.id);
        const same = region.labels.some(({ className }) => classes.includes(className));
        return [{ region, before, rank: overlap + Number(same) }];
      }),
    )
    .sort((a, b) => b.rank - a.rank || (a.before.id < b.before.id ? -1 : 1));
  for (const { region, before } of options) {
    if (pairs.get(region) !== null || !free.has(before.id)) continue;
    pairs.set(region, before);
    free.delete(before.id);
  }
  return pairs;
}

/** How far an edge may be off in the file though nobody moved it, in pixels. */
function tolerance({ boxes }: Keeps, { image }: PlannedEntry, axis: number): number {
  const size = axis % 2 === 0 ? image.width : image.height;
  if (boxes === 'whole-pixels' || boxes === 'outlines') return 1.01;
  return 0.02 + (boxes === 'millionths' ? 3e-6 * size : 0);
}

/** Shapes that the format has are those of the file; others stay while the box does. */
function corrected(before: StoredRegion, made: StoredRegion, moved: boolean, keeps: Keeps): StoredRegion {
  const box: Box = moved ? made.box : before.box;
  const stays = <T>(shape: T): T | null => (moved ? null : shape);
  // COCO has one place for polygons and mask.
  const mask = made.mask ?? (made.polygons === null ? null : stays(before.mask));
  return {
    ...before,
    box,
    touched: true,
    runId: made.runId,
    mask: keeps.masks ? mask : stays(before.mask),
    polygons: keeps.polygons ? made.polygons : stays(before.polygons),
    keypoints: keeps.keypoints ? made.keypoints : stays(before.keypoints),
    crowd: keeps.crowd ? made.crowd : before.crowd,
    ...(keeps.details.length === 0 || made.details === undefined
      ? {}
      : { details: { ...before.details, ...made.details } }),
  };
}

/** Whether the person says other classes than held. */
function relabelled(
  itemId: string,
  region: ImportedRegion,
  held: readonly Label[],
  context: CorrectionContext,
  labels: NewLabel[],
): boolean {
  const said = new Set(region.labels.map(({ className }) => className));
  const gone = held.filter(({ className }) => !said.has(className));
  for (const { className, task } of gone) labels.push(absent(itemId, className, task, context));
  labels.push(...region.labels.map((label) => person(itemId, label, context, held[0]?.task ?? 'objects')));
  const known = new Set(held.map(({ className }) => className));
  return gone.length > 0 || [...said].some((className) => !known.has(className));
}

/** Classes of the whole image; those of tasks on regions follow from the regions. */
function imageLabels(entry: PlannedEntry, context: CorrectionContext): NewLabel[] {
  const { options, keeps, imageTasks } = context;
  if (keeps.imageLabels === 'none') return [];
  const taskOf = (label: { readonly task: string | null }) => options.task ?? label.task ?? options.imageTask;
  const given = entry.labels.filter((label) => imageTasks.has(taskOf(label)));
  const said = new Set(given.map((label) => `${taskOf(label)}\n${label.className}`));
  const held = holding(context.labelsOf(entry.image.id), imageTasks);
  // A format with the best class alone says nothing of the others.
  const gone =
    keeps.imageLabels === 'all'
      ? held.filter((label) => !said.has(`${label.task}\n${label.className}`) && !isNewer([label], entry, context))
      : [];
  return [
    ...gone.map(({ className, task }) => absent(entry.image.id, className, task, context)),
    ...given.map((label) => person(entry.image.id, label, context, options.imageTask)),
  ];
}

type Word = ImportedRegion['labels'][number];

function person(itemId: string, label: Word, { options }: CorrectionContext, task: string): NewLabel {
  return {
    itemId,
    task: options.task ?? label.task ?? task,
    className: label.className,
    present: true,
    origin: 'human',
    confidence: 1,
    runId: options.runId,
    ...(label.annotator == null ? {} : { annotator: label.annotator }),
  };
}

function absent(itemId: string, className: string, task: string, { options }: CorrectionContext): NewLabel {
  return { itemId, task, className, present: false, origin: 'human', confidence: 1, runId: options.runId };
}

/** Whether all of it was said after the file was exported, so that nobody took it out of the file; which is told. */
function isNewer(labels: readonly Label[], entry: PlannedEntry, { exportedAt, reckoning }: CorrectionContext): boolean {
  if (exportedAt === null || labels.some((label) => revisionOfLabel(label) <= exportedAt)) return false;
  const names = [...new Set(labels.filter(({ present }) => present).map(({ className }) => JSON.stringify(className)))];
  reckoning.note('newer-than-export', entry.where, `${entry.file}: ${names.join(', ')}`);
  return true;
}

/** That a person had said otherwise. */
function tell(entry: PlannedEntry, itemId: string, { labelsOf, regionTasks, reckoning }: CorrectionContext): void {
  const before = holding(labelsOf(itemId), regionTasks).filter(({ origin }) => origin === 'human');
  if (before.length === 0) return;
  const names = before.map(
    ({ className, annotator }) => JSON.stringify(className) + (annotator == null ? '' : ` (${annotator})`),
  );
  reckoning.note('person-contradicted', entry.where, `${entry.file}: it was ${names.join(', ')}`);
}
