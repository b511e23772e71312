/** Reads what is there of the pictures of a page, and makes the rows of a person's corrections of them. */
import { iou } from '../../core/boxes.ts';
import { FingerprintSet } from '../../core/fingerprints.ts';
import { revisionOfLabel } from '../../core/labels.ts';
import type { FormatName, Keeps } from '../../formats/format.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import type { Store } from '../../store/store.ts';
import { exportRevisions } from '../export/export-revisions.ts';
import type { ImportPlan, PlannedEntry } from './plan.ts';
import { type Corrections, correctionsOf } from './replace.ts';
import { type RowOptions, type Rows, rowsOf } from './rows.ts';

interface CorrectorParts {
  readonly options: RowOptions;
  readonly keeps: Keeps;
  readonly reckoning: Reckoning;
  /** The format, where one of our own exports wrote the file. */
  readonly exportedAs: FormatName | null;
}

export class Corrector {
  readonly corrections: Corrections = { added: 0, changed: 0, removed: 0, confirmed: 0 };
  readonly #store: Pick<Store, 'regionsOf' | 'labelsOf'>;
  readonly #parts: CorrectorParts;
  readonly #regionTasks: ReadonlySet<string>;
  readonly #imageTasks: ReadonlySet<string>;
  readonly #exportedAt: number | null;
  /** Images that came already: a further entry of one only adds to it. */
  readonly #seen = new FingerprintSet();

  private constructor(
    store: Store,
    parts: CorrectorParts,
    tasks: { regions: ReadonlySet<string>; images: ReadonlySet<string> },
    exportedAt: number | null,
  ) {
    this.#store = store;
    this.#parts = parts;
    this.#regionTasks = tasks.regions;
    this.#imageTasks = tasks.images;
    this.#exportedAt = exportedAt;
  }

  static async open(store: Store, plan: ImportPlan, parts: CorrectorParts): Promise<Corrector> {
    const { task, imageTask } = parts.options;
    const named = (tasks: ReadonlySet<string | null>, otherwise: string) =>
      new Set(task === undefined ? [...tasks].map((one) => one ?? otherwise) : [task]);
    const regions = named(plan.regionTasks, 'objects');
    // A file whose boxes are all deleted is about the objects all the same.
    if (regions.size === 0) regions.add('objects');
    // What holds of images in a task on regions follows from their regions.
    const ofRegions = new Set((await store.tasks()).filter(({ items }) => items === 'regions').map(({ name }) => name));
    const images = new Set([...named(plan.imageTasks, imageTask)].filter((one) => !ofRegions.has(one)));
    const exportedAt = parts.exportedAs === null ? null : await exportRevisionOf(store, plan, parts.exportedAs);
    return new Corrector(store, parts, { regions, images }, exportedAt);
  }

  async rowsOf(page: readonly PlannedEntry[]): Promise<Rows> {
    const imageIds = page.map(({ image }) => image.id);
    const regions = await this.#store.regionsOf(imageIds);
    const there = [...regions.values()].flat().filter(({ deleted }) => !deleted);
    const labels = await this.#store.labelsOf([...imageIds, ...there.map(({ id }) => id)]);
    const rows: { regions: Rows['regions'][number][]; labels: Rows['labels'][number][]; removed: string[] } = {
      regions: [],
      labels: [],
      removed: [],
    };
    for (const entry of page) {
      const first = this.#seen.add(entry.image.id);
      const made = first
        ? correctionsOf(entry, {
            ...this.#parts,
            regionTasks: this.#regionTasks,
            imageTasks: this.#imageTasks,
            regions: there.filter(({ imageId }) => imageId === entry.image.id),
            labelsOf: (item) => labels.get(item) ?? [],
            corrections: this.corrections,
            exportedAt: this.#exportedAt,
          })
        : rowsOf([entry], this.#parts.options, new Set());
      rows.regions.push(...made.regions);
      rows.labels.push(...made.labels);
      rows.removed.push(...made.removed);
    }
    return rows;
  }
}

/** Entries whose regions are looked up at a time. */
const PAGE = 256;
/** A region of the file is this one of the workspace, untouched. */
const UNTOUCHED_IOU = 0.95;

/**
 * The revision of the export that the file is a copy of: of several exports the first that can hold every region of the
 * workspace that the file still shows, since what came after it may have been unknown to whoever changed the file. Null
 * where none was noted.
 */
async function exportRevisionOf(store: Store, plan: ImportPlan, format: FormatName): Promise<number | null> {
  const revisions = await exportRevisions(store, format);
  if (revisions.length <= 1) return revisions[0] ?? null;
  let newest = 0;
  let page: PlannedEntry[] = [];
  const look = async () => {
    newest = Math.max(newest, await newestShown(store, page));
    page = [];
  };
  for await (const entry of plan.entries()) {
    page.push(entry);
    if (page.length === PAGE) await look();
  }
  await look();
  return revisions.find((revision) => revision >= newest) ?? revisions.at(-1) ?? null;
}

/** The newest revision that a region was made at which these entries show where it is. */
async function newestShown(store: Store, entries: readonly PlannedEntry[]): Promise<number> {
  const there = await store.regionsOf(entries.map(({ image }) => image.id));
  const shown = entries.flatMap(({ image, regions }) =>
    (there.get(image.id) ?? []).filter(
      ({ box, deleted }) => !deleted && regions.some((region) => iou(region.box, box) >= UNTOUCHED_IOU),
    ),
  );
  const labels = await store.labelsOf(shown.map(({ id }) => id));
  const made = [...labels.values()].filter((of) => of.length > 0).map((of) => Math.min(...of.map(revisionOfLabel)));
  return made.reduce((newest, revision) => Math.max(newest, revision), 0);
}
