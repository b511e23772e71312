/**
 * A person's corrections: the file is compared with what the export showed that it is a copy of (`base.ts`), and what differs is
 * the person's word: boxes that moved, classes that changed, what is gone and what is new. What the person left as it was stays
 * whose it was, unless all of it is to be confirmed. Only what the format can say is touched.
 */
import type { ImageId, RegionId } from '../../core/ids.ts';
import type { TaskRule } from '../../core/labels.ts';
import type { Keeps } from '../../formats/format.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
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
import { labelsShownNow, mergedLabels } from './merge-labels.ts';
import { mergedRegions, regionsShownNow } from './merge-regions.ts';
import type { ImportPlan, PlannedEntry } from './plan.ts';
import type { RowOptions, Rows } from './rows.ts';
import type { DisagreementRule } from './votes.ts';

interface CorrectorParts {
  readonly options: RowOptions;
  readonly keeps: Keeps;
  readonly reckoning: Reckoning;
  readonly base: Base;
  readonly confirmAll: boolean;
  readonly disagreement: DisagreementRule;
}

interface CorrectedTasks {
  readonly regions: ReadonlySet<string>;
  readonly images: ReadonlySet<string>;
  readonly ruleOf: (task: string) => TaskRule;
}

export class Corrector {
  readonly corrections: Corrections = noCorrections();
  readonly #store: Pick<Store, 'regionsOf' | 'labelsOf' | 'exportStates' | 'classes'>;
  readonly #parts: CorrectorParts;
  readonly #tasks: CorrectedTasks;

  private constructor(store: Store, parts: CorrectorParts, tasks: CorrectedTasks) {
    this.#store = store;
    this.#parts = parts;
    this.#tasks = tasks;
  }

  static async open(store: Store, plan: ImportPlan, parts: CorrectorParts): Promise<Corrector> {
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
    return new Corrector(store, parts, { regions, images, ruleOf: (one) => rules.get(one) ?? 'multi' });
  }

  async rowsOf(page: readonly PlannedEntry[]): Promise<Rows> {
    const { base } = this.#parts;
    const imageIds = page.map(({ image }) => image.id);
    const regions = await this.#store.regionsOf(imageIds);
    const labels = await this.#store.labelsOf([
      ...imageIds,
      ...[...regions.values()].flatMap((list) => list.map(({ id }) => id)),
    ]);
    const shown = base.kind === 'export' ? await shownImages(this.#store, base.export.id, imageIds) : null;
    const alsoShown = await this.#alsoShown(imageIds);
    const rows: CorrectionRows = { regions: [], labels: [], removed: [] };
    for (const entry of page) {
      const { id } = entry.image;
      const now = { regions: regions.get(id) ?? [], labelsOf: (item: string) => labels.get(item) ?? [] };
      const isShown = shown === null ? this.#shownNow(id, now) : (shown.get(id) ?? NOTHING);
      const ids = isShown.regions.map((region) => region.id);
      const context: CorrectionContext = {
        ...this.#parts,
        ...now,
        entry,
        base: base.kind,
        shown: isShown,
        maybeNewer: new Set(ids.filter((one) => alsoShown.some((regions) => !regions.has(one)))),
        regionTasks: this.#tasks.regions,
        imageTasks: this.#tasks.images,
        ruleOf: this.#tasks.ruleOf,
        corrections: this.corrections,
      };
      const made = mergedRegions(context);
      rows.regions.push(...made.regions);
      rows.labels.push(...made.labels, ...mergedLabels(context));
      rows.removed.push(...made.removed);
    }
    return rows;
  }

  /** Regions that each of the other exports showed that the file may be a copy of. */
  async #alsoShown(imageIds: readonly ImageId[]): Promise<ReadonlySet<RegionId>[]> {
    const { base } = this.#parts;
    const sets: Set<RegionId>[] = [];
    for (const { id } of base.kind === 'export' ? base.orOf : []) {
      const shown = await shownImages(this.#store, id, imageIds);
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
