/**
 * Writes what an import takes in: page by page it is worked out and staged, in short transactions, and at the end done in one.
 * What others changed meanwhile is worked out again, so that nothing that a person says during an import is lost. Counts.
 *
 * Resident: a page of entries, and what is said of images that have several.
 */
import { FROZEN_IOU } from '../../core/boxes.ts';
import type { ImageId, ItemId, RegionId } from '../../core/ids.ts';
import type { Task } from '../../core/labels.ts';
import { OUT_OF_CLUSTERS, type OutOfClusters } from '../../core/out-of-clusters.ts';
import type { Attributes } from '../../core/region-details.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import { NO_SPLIT } from '../../formats/splits.ts';
import type { StagedImport, StagedPage, StaleImage, Store } from '../../store/store.ts';
import { contradictionsIn } from './contradictions.ts';
import { addCorrections, type Corrections, noCorrections } from './corrections.ts';
import type { CorrectedEntry, Corrector } from './corrector.ts';
import { type ClusterClasses, type Move, MoveCounts } from './left-clusters.ts';
import type { Note } from './notes.ts';
import type { PlannedEntry } from './plan.ts';
import type { ResolvedLabels } from './resolve.ts';
import { type Known, meansNothing, type RowOptions, type Rows, rowsOf } from './rows.ts';
import { regionsOfPeople } from './voices.ts';

/** The task of images that have several classes each in a file that names no task. */
export const MANY = 'labels';
/** Entries, and objects, held at a time. */
const PAGE = 500;
const PAGE_OBJECTS = 20_000;
/** Images that others changed and that are worked out again while nobody else can write: some tens of milliseconds. */
const FEW_STALE = 50;
/** So often more than those are worked out before that while everybody can. */
const MAX_ROUNDS = 20;

export interface WriterParts {
  readonly resolved: Pick<ResolvedLabels, 'tasksOfMany'>;
  /** Images of more than one entry. */
  readonly repeated: ReadonlySet<ImageId>;
  readonly options: RowOptions;
  /** Null where the file is only added. */
  readonly corrector: Corrector | null;
  /** Null where no clusters can be corrected. */
  readonly clusters: ClusterClasses | null;
  readonly reckoning: Reckoning;
}

/** What was counted and told of an image of a file of corrections, by which it is taken off again. */
interface Tally {
  readonly corrections: Corrections;
  readonly notes: readonly Note[];
  readonly moves: readonly Move[];
  readonly regions: number;
  readonly tasks: Readonly<Record<string, number>>;
}

export class ImportWriter {
  entries = 0;
  regions = 0;
  labels = 0;
  readonly tasks = new Map<string, number>();
  readonly splits = new Map<string, number>();
  /** Classes of labels that are written. */
  readonly classNames = new Set<string>();
  readonly corrections: Corrections = noCorrections();
  readonly #moves = new MoveCounts();
  readonly #store: Store;
  readonly #staged: StagedImport;
  readonly #parts: WriterParts;
  /** Tasks that are there or staged. */
  readonly #knownTasks: Set<string>;
  /** What was counted of images of more than one entry: two names of one picture may say the same. */
  readonly #counted = new Set<string>();
  /** Contradictions with what people said before; as many as there are. */
  readonly #told = new Set<string>();
  #page: PlannedEntry[] = [];
  #objects = 0;

  private constructor(store: Store, staged: StagedImport, parts: WriterParts, knownTasks: Set<string>) {
    this.#store = store;
    this.#staged = staged;
    this.#parts = parts;
    this.#knownTasks = knownTasks;
  }

  static async open(store: Store, parts: WriterParts): Promise<ImportWriter> {
    const known = new Set((await store.tasks()).map(({ name }) => name));
    return new ImportWriter(store, await store.beginStaging(parts.options.runId), parts, known);
  }

  /** Whether what the file says is compared with what there was. */
  get corrected(): boolean {
    return this.#parts.corrector !== null;
  }

  /** Whether a page was staged. */
  async add(entry: PlannedEntry): Promise<boolean> {
    this.entries++;
    this.#page.push(entry);
    this.#objects += entry.regions.length;
    if (this.#page.length < PAGE && this.#objects < PAGE_OBJECTS) return false;
    await this.#finishPage();
    return true;
  }

  /**
   * @param told what the history says of the import, beside the classes that it made out of clusters
   * @param also is done in the same transaction, after all labels
   */
  async commit(told: Readonly<Record<string, string | null>>, also: (within: Store) => Promise<void>): Promise<void> {
    await this.#finishPage();
    for (let round = 1; ; round++) {
      await this.#again(this.#store, await this.#store.staleImages(this.#staged, PAGE));
      const isDone = await this.#store.atomically(async (within) => {
        const stale = await within.staleImages(this.#staged, FEW_STALE + 1);
        if (stale.length > FEW_STALE && round < MAX_ROUNDS) return false;
        for (let left = stale; left.length > 0; left = await within.staleImages(this.#staged, PAGE))
          await this.#again(within, left);
        await within.applyStaged(this.#staged, { name: 'import', arguments: { ...told, ...this.#outOfClusters() } });
        await also(within);
        return true;
      });
      if (isDone) return;
    }
  }

  #outOfClusters(): Readonly<Record<string, OutOfClusters>> {
    const found = this.#parts.clusters?.outOf(this.#moves) ?? {};
    return Object.keys(found).length === 0 ? {} : { [OUT_OF_CLUSTERS]: found };
  }

  /** As {@link commit} counts and tells, with nothing taken in. */
  async rehearse(): Promise<void> {
    await this.#finishPage();
  }

  /** Takes away what is staged. What is left where that fails, the next import takes away. */
  async end(): Promise<void> {
    await this.#store.dropStaging(this.#staged).catch(() => {});
  }

  async #finishPage(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    this.#objects = 0;
    if (page.length === 0) return;
    const first = this.entries - page.length;
    const imageIds = [...new Set(page.map(({ image }) => image.id))];
    const entries = page.map(({ image, ...entry }, i) => {
      return { imageId: image.id, number: first + i, data: JSON.stringify(entry) };
    });
    const revisions = await this.#store.revisionsOf(imageIds);
    await this.#stage(this.#store, page, { imageIds, revisions, entries }, new Map());
    this.#countSplits(page);
  }

  /** What others changed since it was looked at. */
  async #again(store: Store, stale: readonly StaleImage[]): Promise<void> {
    const before = new Map(
      stale.map(({ imageId, tally }) => [imageId, tally === null ? null : (JSON.parse(tally) as Tally)]),
    );
    for (const tally of before.values()) if (tally !== null) this.#count(tally, -1);
    const gone: ImageId[] = [];
    const page: PlannedEntry[] = [];
    const revisions = new Map<ImageId, number>();
    for (const { imageId, revision, entries } of stale) {
      const image = revision === null ? undefined : await store.image(imageId);
      if (revision === null || image === undefined) gone.push(imageId);
      else {
        revisions.set(imageId, revision);
        page.push(
          ...entries.map((data): PlannedEntry => ({ ...(JSON.parse(data) as Omit<PlannedEntry, 'image'>), image })),
        );
      }
    }
    if (gone.length > 0) await store.unstage(this.#staged, gone);
    if (page.length > 0)
      await this.#stage(store, page, { imageIds: [...revisions.keys()], revisions, entries: null }, before);
  }

  async #stage(
    store: Store,
    page: readonly PlannedEntry[],
    images: Pick<StagedPage, 'imageIds' | 'revisions' | 'entries'>,
    before: ReadonlyMap<ImageId, Tally | null>,
  ): Promise<void> {
    const { corrector, options } = this.#parts;
    const corrected = (await corrector?.entriesOf(store, page)) ?? null;
    const added = corrected === null ? rowsOf(page, options, await known(store, page, options)) : null;
    const rows: Rows = added ?? rowsOfAll(corrected ?? []);
    if (added !== null) this.#tellOnce([...added.notes, ...(await contradictionsIn(store, page, added))]);
    for (const { className } of rows.labels) this.classNames.add(className);
    const tallies = new Map<ImageId, string>();
    for (const entry of corrected ?? []) {
      const tally = tallyOf(entry);
      tallies.set(entry.imageId, JSON.stringify(tally));
      this.#count(tally, 1);
      this.#tell(tally.notes, before.get(entry.imageId)?.notes ?? []);
    }
    const tasks = this.#newTasks(rows);
    for (const { name } of tasks) this.#knownTasks.add(name);
    const facts = factsOf(page);
    await store.stage(this.#staged, { ...images, ...rows, ...facts, tallies, tasks, frozenIou: FROZEN_IOU });
    // Counted once: what others draw meanwhile at the place of a box makes it a voice, and no other count of labels.
    if (corrected === null && images.entries !== null) this.#count(countsOf(this.#uncounted(rows)), 1);
  }

  /** Without what an entry under another name of the same picture said before. */
  #uncounted({ regions, labels }: Rows): Pick<Rows, 'regions' | 'labels'> {
    const { repeated } = this.#parts;
    if (repeated.size === 0) return { regions, labels };
    const counted = this.#counted;
    const imageOf = new Map<ItemId, ImageId>(regions.map(({ id, imageId }) => [id, imageId]));
    const isNew = (image: ImageId, what: string) => {
      if (!repeated.has(image)) return true;
      const isFirst = !counted.has(what);
      counted.add(what);
      return isFirst;
    };
    const newRegions = regions.filter(({ imageId, id }) => isNew(imageId, id));
    const newLabels = labels.filter(({ itemId, task, className, origin, annotator }) =>
      isNew(imageOf.get(itemId) ?? (itemId as ImageId), JSON.stringify([itemId, task, className, origin, annotator])),
    );
    return { regions: newRegions, labels: newLabels };
  }

  #count(
    { regions, tasks, corrections, moves }: Pick<Tally, 'regions' | 'tasks'> & Partial<Tally>,
    times: 1 | -1,
  ): void {
    this.regions += times * regions;
    for (const [task, n] of Object.entries(tasks)) {
      this.labels += times * n;
      const count = (this.tasks.get(task) ?? 0) + times * n;
      if (count === 0) this.tasks.delete(task);
      else this.tasks.set(task, count);
    }
    if (corrections !== undefined) addCorrections(this.corrections, corrections, times);
    if (moves !== undefined) this.#moves.add(moves, times);
  }

  /** What was told of the image before is not told again. */
  #tell(notes: readonly Note[], before: readonly Note[]): void {
    const told = new Set(before.map((note) => note.join('\n')));
    for (const note of notes) if (!told.has(note.join('\n'))) this.#parts.reckoning.note(...note);
  }

  #tellOnce(notes: readonly Note[]): void {
    const told = this.#told;
    this.#tell(
      notes.filter((note) => !told.has(note.join('\n'))),
      [],
    );
    for (const note of notes) told.add(note.join('\n'));
  }

  #countSplits(page: readonly PlannedEntry[]): void {
    for (const split of factsOf(page).splits.values()) this.splits.set(split, (this.splits.get(split) ?? 0) + 1);
  }

  /**
   * Tasks that a file names and nobody made yet: on regions where any of its labels is a region's, of one class an item
   * where no image of the file has more.
   */
  #newTasks({ labels, regions }: Rows): Task[] {
    const { options, resolved } = this.#parts;
    const { tasksOfMany } = resolved;
    const regionIds = new Set<ItemId>(regions.map(({ id }) => id));
    const wanted = new Map<string, Task>();
    for (const label of labels) {
      const { task, itemId } = label;
      if (this.#knownTasks.has(task)) continue;
      const onRegions = regionIds.has(itemId) || meansNothing(label) || wanted.get(task)?.items === 'regions';
      const many = onRegions || (options.task === task ? tasksOfMany.size > 0 : tasksOfMany.has(task) || task === MANY);
      wanted.set(task, { name: task, rule: many ? 'multi' : 'single', items: onRegions ? 'regions' : 'images' });
    }
    return [...wanted.values()];
  }
}

async function known(store: Store, page: readonly PlannedEntry[], { as }: RowOptions): Promise<Known> {
  const people = as === 'imported' ? new Map() : await regionsOfPeople(store, page);
  return { asked: await regionsAsked(store, page), people };
}

/** Regions of the workspace that answers are about. */
async function regionsAsked(store: Pick<Store, 'regionsOf'>, page: readonly PlannedEntry[]): Promise<Set<RegionId>> {
  const asked = page.filter(({ regions }) => regions.some(({ about }) => about !== undefined));
  const there = await store.regionsOf(asked.map(({ image }) => image.id));
  return new Set([...there.values()].flatMap((list) => list.map(({ id }) => id)));
}

function factsOf(page: readonly PlannedEntry[]): Pick<StagedPage, 'splits' | 'attributes'> {
  const splits = new Map<ImageId, string>();
  const attributes = new Map<ImageId, Attributes>();
  for (const entry of page) {
    if (entry.split !== null && entry.split !== NO_SPLIT) splits.set(entry.image.id, entry.split);
    if (entry.attributes !== undefined) attributes.set(entry.image.id, entry.attributes);
  }
  return { splits, attributes };
}

function rowsOfAll(entries: readonly CorrectedEntry[]): Rows {
  return {
    regions: entries.flatMap(({ rows }) => rows.regions),
    labels: entries.flatMap(({ rows }) => rows.labels),
    removed: entries.flatMap(({ rows }) => rows.removed),
    kept: entries.flatMap(({ rows }) => rows.kept),
  };
}

function countsOf({ regions, labels }: Pick<Rows, 'regions' | 'labels'>): Pick<Tally, 'regions' | 'tasks'> {
  const tasks: Record<string, number> = {};
  for (const label of labels) if (!meansNothing(label)) tasks[label.task] = (tasks[label.task] ?? 0) + 1;
  return { regions: regions.length, tasks };
}

function tallyOf({ rows, corrections, notes, moves }: CorrectedEntry): Tally {
  return { ...countsOf(rows), corrections, notes, moves };
}
