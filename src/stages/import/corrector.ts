/**
 * A person's corrections: the file is compared with what the export showed that it is a copy of (`base.ts`), and what differs is
 * the person's word: boxes that moved, classes that changed, what is gone and what is new. What the person left as it was stays
 * whose it was, unless all of it is to be confirmed. Only what the format can say is touched.
 */
import type { ImageId, RegionId, RunId } from '../../core/ids.ts';
import type { TaskRule } from '../../core/labels.ts';
import type { Keeps } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';
import type { ShownImage } from '../export/shown.ts';
import { type Base, NOTHING, shownImages } from './base.ts';
import {
  type CorrectionContext,
  type CorrectionRows,
  type Corrections,
  holding,
  noCorrections,
} from './corrections.ts';
import type { ClusterClasses, Move } from './left-clusters.ts';
import { labelsShownNow, mergedLabels } from './merge-labels.ts';
import { mergedRegions, regionsShownNow } from './merge-regions.ts';
import type { Note } from './notes.ts';
import type { ImportPlan, PlannedEntry } from './plan.ts';
import type { RowOptions } from './rows.ts';
import type { DisagreementRule } from './votes.ts';

export interface CorrectorParts {
  readonly options: RowOptions;
  readonly keeps: Keeps;
  readonly base: Base;
  readonly confirmAll: boolean;
  readonly disagreement: DisagreementRule;
  /** Null where no clusters can be corrected. */
  readonly clusters: ClusterClasses | null;
  /** See `same-copy.ts`. */
  readonly earlierRuns: ReadonlySet<RunId>;
}

interface CorrectedTasks {
  readonly regions: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
  readonly isOfImages: boolean;
  readonly ruleOf: (task: string) => TaskRule;
}

type CorrectorStore = Pick<Store, 'regionsOf' | 'labelsOf' | 'exportStates' | 'classes'>;

/** What becomes of one entry: rows, and what is counted and told of it. */
export interface CorrectedEntry {
  readonly imageId: ImageId;
  readonly rows: CorrectionRows;
  readonly corrections: Corrections;
  readonly notes: readonly Note[];
  readonly moves: readonly Move[];
}

export class Corrector {
  readonly #parts: CorrectorParts;
  readonly #tasks: CorrectedTasks;

  private constructor(parts: CorrectorParts, tasks: CorrectedTasks) {
    this.#parts = parts;
    this.#tasks = tasks;
  }

  static async open(store: Pick<Store, 'tasks'>, plan: ImportPlan, parts: CorrectorParts): Promise<Corrector> {
    const { task, imageTask } = parts.options;
    const named = (tasks: ReadonlySet<string | null>, otherwise: string) =>
      new Set(task === undefined ? [...tasks].map((one) => one ?? otherwise) : [task]);
    const regions = named(plan.regionTasks, 'objects');
    // A file whose boxes are all deleted is about the objects all the same.
    if (regions.size === 0) regions.add('objects');
    const known = await store.tasks();
    // What holds of images in a task on regions follows from their regions.
    const ofRegions = new Set(known.filter(({ items }) => items === 'regions').map(({ name }) => name));
    const given = named(plan.imageTasks, imageTask);
    if (task === undefined && parts.base.kind === 'export')
      for (const one of parts.base.export.task === null ? known.map(({ name }) => name) : [parts.base.export.task])
        given.add(one);
    const images = new Set([...given].filter((one) => !ofRegions.has(one)));
    const rules = new Map(known.map(({ name, rule }) => [name, rule]));
    const exported = parts.base.kind === 'export' ? parts.base.export.task : null;
    const isOfImages = known.some(({ name, items }) => name === exported && items === 'images');
    return new Corrector(parts, { regions, images, isOfImages, ruleOf: (one) => rules.get(one) ?? 'multi' });
  }

  async entriesOf(store: CorrectorStore, page: readonly PlannedEntry[]): Promise<CorrectedEntry[]> {
    const { base } = this.#parts;
    const imageIds = page.map(({ image }) => image.id);
    const regions = await store.regionsOf(imageIds);
    const labels = await store.labelsOf([
      ...imageIds,
      ...[...regions.values()].flatMap((list) => list.map(({ id }) => id)),
    ]);
    const shown = base.kind === 'export' ? await shownImages(store, base.export.id, imageIds) : null;
    const alsoShown = await this.#alsoShown(store, imageIds);
    return page.map((entry) => {
      const { id } = entry.image;
      const now = { regions: regions.get(id) ?? [], labelsOf: (item: string) => labels.get(item) ?? [] };
      const isShown = shown === null ? this.#shownNow(id, now) : (shown.get(id) ?? NOTHING);
      const ids = isShown.regions.map((region) => region.id);
      const corrections = noCorrections();
      const notes: Note[] = [];
      const context: CorrectionContext = {
        ...this.#parts,
        ...now,
        entry,
        base: base.kind,
        shown: isShown,
        maybeNewer: new Set(ids.filter((one) => alsoShown.some((regions) => !regions.has(one)))),
        regionTasks: this.#tasks.regions,
        imageTasks: this.#tasks.images,
        isOfImages: this.#tasks.isOfImages,
        ruleOf: this.#tasks.ruleOf,
        corrections,
        note: (...note) => notes.push(note),
      };
      const made = mergedRegions(context);
      const rows = { ...made, labels: [...made.labels, ...mergedLabels(context)] };
      const heldOf = (item: string, task: string) => holding(now.labelsOf(item), new Set([task]), this.#tasks.ruleOf);
      const moves = this.#parts.clusters?.moves({ imageId: id, labels: rows.labels, shown: isShown, heldOf }) ?? [];
      return { imageId: id, rows, corrections, notes, moves };
    });
  }

  /** Regions that each of the other exports showed that the file may be a copy of. */
  async #alsoShown(store: CorrectorStore, imageIds: readonly ImageId[]): Promise<ReadonlySet<RegionId>[]> {
    const { base } = this.#parts;
    const sets: Set<RegionId>[] = [];
    for (const { id } of base.kind === 'export' ? base.orOf : []) {
      const shown = await shownImages(store, id, imageIds);
      sets.push(new Set([...shown.values()].flatMap(({ regions }) => regions.map((region) => region.id))));
    }
    return sets;
  }

  #shownNow(id: ImageId, { regions, labelsOf }: Pick<CorrectionContext, 'regions' | 'labelsOf'>): ShownImage {
    const { regions: ofRegions, images, ruleOf } = this.#tasks;
    return {
      regions: regionsShownNow(regions, (region) => holding(labelsOf(region), ofRegions)),
      labels: labelsShownNow(holding(labelsOf(id), images, ruleOf)),
    };
  }
}
