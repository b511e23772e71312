/** Reads what is there of the pictures of a page, and makes the rows of a person's corrections of them. */
import { FingerprintSet } from '../../core/fingerprints.ts';
import type { Keeps } from '../../formats/format.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import type { Store } from '../../store/store.ts';
import type { ImportPlan, PlannedEntry } from './plan.ts';
import { type Corrections, correctionsOf } from './replace.ts';
import { type RowOptions, type Rows, rowsOf } from './rows.ts';

interface CorrectorParts {
  readonly options: RowOptions;
  readonly keeps: Keeps;
  readonly reckoning: Reckoning;
}

export class Corrector {
  readonly corrections: Corrections = { added: 0, changed: 0, removed: 0, confirmed: 0 };
  readonly #store: Pick<Store, 'regionsOf' | 'labelsOf'>;
  readonly #parts: CorrectorParts;
  readonly #regionTasks: ReadonlySet<string>;
  readonly #imageTasks: ReadonlySet<string>;
  /** Images that came already: a further entry of one only adds to it. */
  readonly #seen = new FingerprintSet();

  private constructor(
    store: Store,
    parts: CorrectorParts,
    tasks: { regions: ReadonlySet<string>; images: ReadonlySet<string> },
  ) {
    this.#store = store;
    this.#parts = parts;
    this.#regionTasks = tasks.regions;
    this.#imageTasks = tasks.images;
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
    return new Corrector(store, parts, { regions, images });
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
          })
        : rowsOf([entry], this.#parts.options, new Set());
      rows.regions.push(...made.regions);
      rows.labels.push(...made.labels);
      rows.removed.push(...made.removed);
    }
    return rows;
  }
}
