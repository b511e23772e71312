/** What is written of planned entries: regions and labels, as the store takes them. Pure. */
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import { type ImageId, type RegionId, regionIdOf } from '../../core/ids.ts';
import type { ImageRecord } from '../../core/image.ts';
import { NONE_OF_THESE, type Origin } from '../../core/labels.ts';
import type { NewLabel, StoredRegion } from '../../store/store.ts';
import type { Note } from './notes.ts';
import type { PlannedEntry } from './plan.ts';
import { type PersonsRegion, type Voices, voicesIn } from './voices.ts';

export interface RowOptions {
  /** Whose word it is. Default: the origin the file names, else `imported`. */
  readonly as?: Extract<Origin, 'human' | 'imported'>;
  /** In place of the tasks that the file names. */
  readonly task?: string;
  /** The task of classes of images that name none. */
  readonly imageTask: string;
  readonly runId: string;
}

export interface Rows {
  readonly regions: readonly StoredRegion[];
  /** Rejections of an item come before its labels, so that a label given after one stands. */
  readonly labels: readonly NewLabel[];
  /** Regions that the person deleted. */
  readonly removed: readonly RegionId[];
  /** Regions of the workspace that the file shows as they are. */
  readonly kept: readonly RegionId[];
}

type Annotation = Pick<ImportedImage, 'labels' | 'rejected'>;

/** What the workspace holds of the images of a page, for rows that are only added to it. */
export interface Known {
  /** Regions that entries are about. */
  readonly asked: ReadonlySet<RegionId>;
  /** Those that people drew or touched. */
  readonly people: ReadonlyMap<ImageId, readonly PersonsRegion[]>;
}

export function rowsOf(
  page: readonly PlannedEntry[],
  options: RowOptions,
  { asked, people }: Known,
): Rows & { readonly notes: readonly Note[] } {
  const notes: Note[] = [];
  const regions: StoredRegion[] = [];
  const labels: NewLabel[] = [];
  for (const entry of page) {
    labels.push(...labelsOf(entry.image.id, entry, { ...options, defaultTask: options.imageTask, score: null }));
    if (entry.isEmpty) labels.push(nothingOn(entry.image.id, options));
    const voices = voicesOf(entry, people.get(entry.image.id) ?? [], options);
    notes.push(...voices.notes);
    const seen = new Map<string, number>();
    const take = (region: ImportedRegion, deleted: boolean) => {
      const asks = region.about !== undefined && asked.has(region.about) ? region.about : null;
      const about = asks ?? (deleted ? null : (voices.sameAs.get(region) ?? null));
      if (about === null) regions.push({ ...regionOf(region, entry, options, seen), deleted });
      const itemId = about ?? (regions.at(-1) as StoredRegion).id;
      const score = about === null ? region.score : null;
      labels.push(...labelsOf(itemId, region, { ...options, defaultTask: REGION_TASK, score }));
    };
    for (const region of entry.regions) take(region, false);
    if (options.as !== 'imported') for (const region of entry.deleted ?? []) take(region, true);
  }
  return { regions, labels, removed: [], kept: [], notes };
}

function voicesOf(entry: PlannedEntry, there: readonly PersonsRegion[], options: RowOptions): Voices {
  if (there.length === 0 || options.as === 'imported') return { sameAs: new Map(), notes: [] };
  const seen = new Map<string, number>();
  const ids = new Map(entry.regions.map((region) => [region, regionOf(region, entry, options, seen).id]));
  // Only a person's box is a voice; the word of a file that names no person is a box of its own.
  const said = entry.regions.filter(
    (region) => makerOf(region.labels, options.as) === 'human' || region.touched === true,
  );
  return voicesIn({ ...entry, regions: said }, there, {
    idOf: (region) => ids.get(region)!,
    taskOf: (label) => taskOf(label, { ...options, defaultTask: REGION_TASK }),
  });
}

/** The task of regions that name none. */
const REGION_TASK = 'objects';

function taskOf(
  label: ImportedLabel,
  { task, defaultTask }: Pick<RowOptions, 'task'> & { defaultTask: string },
): string {
  return task ?? label.task ?? defaultTask;
}

/**
 * That somebody looked and found nothing, for exports with background. Not a person's word, with `as` `human` either: what
 * a detector found beside it stays.
 */
function nothingOn(itemId: ImageId, { task, runId }: RowOptions): NewLabel {
  const said = { present: true, origin: 'imported', confidence: 1, runId } as const;
  return { itemId, task: task ?? REGION_TASK, className: NONE_OF_THESE, ...said };
}

/** Whether a label only says that nothing is on an image in a file. */
export function meansNothing({ className, origin }: Pick<NewLabel, 'className' | 'origin'>): boolean {
  return className === NONE_OF_THESE && origin === 'imported';
}

export function labelsOf(
  itemId: string,
  annotation: Annotation,
  { as, task, runId, defaultTask, score }: RowOptions & { readonly defaultTask: string; readonly score: number | null },
): NewLabel[] {
  // Only a person's word takes something back; labels of strangers do not.
  const rejections = as === 'imported' ? [] : (annotation.rejected ?? []);
  return [
    ...rejections.map(({ className, task: own, annotator }): NewLabel => {
      const present = className === NONE_OF_THESE;
      const by = annotator == null ? {} : { annotator };
      return { itemId, task: task ?? own, className, present, origin: 'human', confidence: 1, runId, ...by };
    }),
    ...annotation.labels.map(
      (label): NewLabel => ({
        itemId,
        task: taskOf(label, { task, defaultTask }),
        className: label.className,
        present: true,
        origin: makerOf([label], as) ?? label.origin ?? 'imported',
        confidence: label.confidence ?? score ?? 1,
        runId,
        ...(label.annotator == null ? {} : { annotator: label.annotator }),
      }),
    ),
  ];
}

/** Whose word it is; a model's prediction is its own, and not the person's who gives the file. */
function makerOf(labels: readonly ImportedLabel[], as: RowOptions['as']): RowOptions['as'] {
  return as === 'human' && isPrediction(labels) ? undefined : as;
}

export function isPrediction(labels: readonly ImportedLabel[]): boolean {
  return labels.length > 0 && labels.every((label) => label.isPrediction === true);
}

export function regionOf(
  region: ImportedRegion,
  { image, sha256 }: { readonly image: ImageRecord; readonly sha256?: string },
  options: Pick<RowOptions, 'as' | 'runId'>,
  seen: Map<string, number>,
): StoredRegion {
  const { box } = region;
  const as = makerOf(region.labels, options.as);
  const maker = as ?? 'imported';
  const className = region.labels[0]?.className ?? '';
  const same = [className, ...box].join(' ');
  const ordinal = seen.get(same) ?? 0;
  seen.set(same, ordinal + 1);
  const identified = sha256 === image.id;
  return {
    id: identified && region.id !== undefined ? region.id : regionIdOf(image.id, maker, className, box, ordinal),
    imageId: image.id,
    box,
    score: region.score,
    modelKey: null,
    runId: options.runId,
    touched: as === 'human' || (as === undefined && region.touched === true),
    deleted: false,
    keypoints: region.keypoints,
    mask: region.mask,
    ...(region.maskMaker === undefined || as !== undefined ? {} : { maskMaker: region.maskMaker }),
    polygons: region.polygons,
    crowd: region.crowd,
    ...(region.details === undefined ? {} : { details: region.details }),
  };
}
