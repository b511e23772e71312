/**
 * Corrected regions of one image, by comparison of three: what the export showed, what the file says, and what the workspace
 * holds by now. What only the file changed is taken, what only the workspace changed stays; where both say different things of a
 * region, that is told, the newer word holds (or all, with the rule `review`), and the older is kept with the region. Pure.
 */
import { BoxIndex } from '../../core/box-index.ts';
import { iou } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { RegionId } from '../../core/ids.ts';
import type { Label } from '../../core/labels.ts';
import type { StoredRegion } from '../../store/store.ts';
import { type ShownRegion, shapeDigest } from '../export/shown.ts';
import { absentLabel, type CorrectionContext, type CorrectionRows, holding, personLabel, tell } from './corrections.ts';
import { namesIn } from './notes.ts';
import { withOutlines } from './outlines.ts';
import { isMoved, paired, SAME_PLACE_IOU, sameNames } from './pairing.ts';
import { hasOtherShapes, withShapes } from './region-shapes.ts';
import { isPrediction, regionOf } from './rows.ts';
import { DISAGREEMENT } from './votes.ts';

/** A region of the workspace: itself, and the labels of it that hold. */
interface RegionNow {
  readonly region: StoredRegion;
  readonly held: readonly Label[];
}

/** One that the export did not show. */
interface Unshown extends RegionNow {
  /** Its place among them: of several that fit as well, the first is taken. */
  readonly order: number;
}

/** The regions that the workspace shows by now, for where no export is known. */
export function regionsShownNow(
  regions: readonly StoredRegion[],
  heldOf: (id: RegionId) => readonly Label[],
): ShownRegion[] {
  return regions.flatMap((region) => {
    const held = heldOf(region.id);
    if (region.deleted || held.length === 0) return [];
    const classes = [...new Set(held.map(({ className }) => className))].sort();
    return [{ id: region.id, box: region.box, classes, task: held[0].task, shapes: shapeDigest(region) }];
  });
}

export function mergedRegions(context: CorrectionContext): CorrectionRows {
  const rows: CorrectionRows = { regions: [], labels: [], removed: [], kept: [] };
  if (context.keeps.boxes === 'none') return rows;
  new RegionMerge(context, rows).run();
  return rows;
}

class RegionMerge {
  readonly #context: CorrectionContext;
  readonly #rows: CorrectionRows;
  /** Regions that the export did not show, by id: each is one of the file's new ones at most. */
  readonly #unshown = new Map<RegionId, Unshown>();
  /** The same, by place. */
  readonly #near = new BoxIndex<Unshown>();
  readonly #now: ReadonlyMap<RegionId, StoredRegion>;
  /** How often a region was in the file, as its id counts it. */
  readonly #seen = new Map<string, number>();

  constructor(context: CorrectionContext, rows: CorrectionRows) {
    this.#context = context;
    this.#rows = rows;
    this.#now = new Map(context.regions.map((region) => [region.id, region]));
  }

  run(): void {
    const { entry, shown, keeps, base } = this.#context;
    const shownIds = new Set(shown.regions.map(({ id }) => id));
    for (const region of this.#now.values()) {
      const held = this.#heldOf(region.id);
      if (region.deleted || held.length === 0 || shownIds.has(region.id)) continue;
      const one = { region, held, order: this.#unshown.size };
      this.#unshown.set(region.id, one);
      this.#near.add(region.box, one);
    }
    const regions = withOutlines(entry.regions, [...this.#now.values()], this.#context);
    const pairs = paired({ ...entry, regions }, shown.regions, keeps);
    for (const { given, before } of pairs) {
      if (before === null) this.#add(given);
      else this.#compare(given, before);
    }
    const inFile = new Set(pairs.flatMap(({ before }) => (before === null ? [] : [before.id])));
    for (const before of shown.regions) if (!inFile.has(before.id)) this.#remove(before);
    if (base === 'export' && !this.#context.isOfImages)
      for (const { held } of this.#unshown.values()) tell(this.#context, 'newer-than-export', held);
  }

  #heldOf(id: RegionId): Label[] {
    return holding(this.#context.labelsOf(id), this.#context.regionTasks);
  }

  /** The region of the workspace that was shown; null where it was deleted, or is not there any more. */
  #nowOf({ id }: Pick<ShownRegion, 'id'>): RegionNow | null {
    const region = this.#now.get(id);
    return region === undefined || region.deleted ? null : { region, held: this.#heldOf(id) };
  }

  #compare(given: ImportedRegion, before: ShownRegion): void {
    const { keeps, entry, base } = this.#context;
    const now = this.#nowOf(before);
    // A model's prediction corrects nothing.
    if (isPrediction(given.labels)) {
      if (now !== null) this.#rows.kept.push(before.id);
      this.#context.corrections.objects.unchanged++;
      return;
    }
    const said = given.labels.map(({ className }) => className);
    // Where nobody knows the export, it may have left its classes out.
    const isSilent = base === 'unknown' && said.length === 0;
    if (isSilent && now !== null) tell(this.#context, 'unknown-export', now.held);
    const change = {
      box: isMoved(given.box, before.box, this.#context),
      classes: !isSilent && !sameNames(said, before.classes),
      shapes:
        now !== null &&
        shapeDigest(now.region) === before.shapes &&
        hasOtherShapes(given, now.region, { keeps, entry }),
    };
    if (!change.box && !change.classes && !change.shapes) this.#keep(before, now);
    else if (now === null) this.#restore(given, before);
    else this.#change(given, before, now, change);
  }

  #keep(before: ShownRegion, now: RegionNow | null): void {
    const { confirmAll, corrections } = this.#context;
    this.#rows.kept.push(before.id);
    if (now === null || this.#isChangedByPerson(now, before)) {
      if (this.#now.get(before.id) !== undefined)
        tell(
          this.#context,
          'changed-since-export',
          before.classes.map((className) => ({ className })),
        );
      corrections.objects.unchanged++;
    } else if (confirmAll) this.#confirm(now);
    else corrections.objects.unchanged++;
  }

  #change(
    given: ImportedRegion,
    before: ShownRegion,
    now: RegionNow,
    change: { readonly box: boolean; readonly classes: boolean; readonly shapes: boolean },
  ): void {
    const { corrections, base, disagreement } = this.#context;
    const { region, held } = now;
    const heldNames = held.map(({ className }) => className);
    const said = given.labels.map(({ className }) => className);
    const boxElse =
      change.box && base === 'export' && region.touched && isMoved(region.box, before.box, this.#context)
        ? isMoved(region.box, given.box, this.#context)
        : false;
    const classesElse = change.classes && this.#saidByPerson(held, before) && !sameNames(said, heldNames);
    const isNew = (change.box && isMoved(region.box, given.box, this.#context)) || change.shapes;
    const isOtherwise = change.classes && !sameNames(said, heldNames);
    if (!isNew && !isOtherwise && region.touched) {
      corrections.objects.unchanged++;
      return;
    }
    const older = [
      ...(boxElse ? [`box ${region.box.map(Math.round).join(' ')}`] : []),
      ...(classesElse ? namesIn(held) : []),
    ];
    if (older.length > 0)
      this.#context.note(
        'person-contradicted',
        this.#context.entry.where,
        `${this.#context.entry.file}: it was ${older.join(', ')}`,
      );
    const made = regionOf(given, this.#context.entry, this.#context.options, this.#seen);
    const taken = change.box || change.shapes ? withShapes(region, made, change.box, this.#context.keeps) : region;
    this.#rows.regions.push(withDisagreement({ ...taken, touched: true, runId: made.runId }, older));
    if (change.classes) {
      const gone = held.filter(({ className }) => !said.includes(className));
      if (!(classesElse && disagreement === 'review'))
        for (const label of gone) this.#rows.labels.push(absentLabel(region.id, label, this.#context));
      for (const label of given.labels) this.#say(region.id, label, held[0]?.task ?? before.task);
    } else for (const { className, task } of held) this.#say(region.id, { className, task }, task);
    corrections.objects.changed++;
  }

  /** Changed in the file, and meanwhile deleted here, or not found again by a detector. */
  #restore(given: ImportedRegion, before: ShownRegion): void {
    const gone = this.#now.get(before.id);
    if (gone !== undefined)
      tell(
        this.#context,
        'person-contradicted',
        before.classes.map((className) => ({ className })),
        'it was deleted: ',
      );
    else if (this.#takeUnshown(given)) return;
    const made = regionOf(given, this.#context.entry, this.#context.options, this.#seen);
    const region = gone === undefined ? made : { ...withShapes(gone, made, true, this.#context.keeps), deleted: false };
    this.#rows.regions.push({ ...region, touched: true });
    for (const label of given.labels) this.#say(region.id, label, before.task);
    this.#context.corrections.objects.changed++;
  }

  #add(given: ImportedRegion): void {
    if (this.#takeUnshown(given)) return;
    const made = regionOf(given, this.#context.entry, this.#context.options, this.#seen);
    if (isPrediction(given.labels) && this.#now.get(made.id)?.deleted) return;
    if (this.#now.get(made.id)?.deleted) tell(this.#context, 'person-contradicted', given.labels, 'it was deleted: ');
    this.#rows.regions.push(made);
    for (const label of given.labels) this.#say(made.id, label, 'objects');
    this.#context.corrections.objects.added++;
  }

  /** Somebody else, or a machine, put a region there since the export: the two are one. */
  #takeUnshown(given: ImportedRegion): boolean {
    const said = given.labels.map(({ className }) => className);
    const found: { now: Unshown; rank: number }[] = [];
    this.#near.visitNear(given.box, (now) => {
      const overlap = iou(given.box, now.region.box);
      if (overlap < SAME_PLACE_IOU) return;
      found.push({ now, rank: overlap + Number(now.held.some(({ className }) => said.includes(className))) });
    });
    if (found.length === 0) return false;
    const best = found.reduce((a, b) => (b.rank > a.rank || (b.rank === a.rank && b.now.order < a.now.order) ? b : a));
    const { region, held } = best.now;
    this.#unshown.delete(region.id);
    this.#near.delete(region.box, best.now);
    if (isPrediction(given.labels)) return true;
    const classes = held.map(({ className }) => className);
    const change = {
      box: isMoved(given.box, region.box, this.#context),
      // The export showed no class of it, so none was taken away.
      classes: said.length > 0 && !sameNames(said, classes),
      shapes: false,
    };
    if (said.length === 0 && !change.box) {
      this.#context.corrections.objects.unchanged++;
      return true;
    }
    const before = { id: region.id, box: region.box, classes: [], task: held[0].task, shapes: '' };
    if (!change.box && !change.classes && !region.touched) this.#confirm(best.now);
    else this.#change(given, before, best.now, change);
    return true;
  }

  #remove(before: ShownRegion): void {
    const now = this.#nowOf(before);
    if (now === null) return;
    if (this.#context.base === 'unknown') {
      tell(this.#context, 'unknown-export', now.held);
      return;
    }
    if (this.#context.maybeNewer.has(before.id)) {
      tell(this.#context, 'maybe-newer', now.held);
      return;
    }
    if (this.#isChangedByPerson(now, before)) {
      tell(this.#context, 'person-contradicted', now.held, 'it was ');
      if (this.#context.disagreement === 'review') return;
    }
    this.#rows.removed.push(before.id);
    this.#context.corrections.objects.removed++;
  }

  #confirm({ region, held }: RegionNow): void {
    const { options, corrections } = this.#context;
    if (region.touched && held.every(({ origin }) => origin === 'human')) {
      corrections.objects.unchanged++;
      return;
    }
    this.#rows.regions.push({ ...region, touched: true, runId: options.runId });
    for (const { className, task } of held) this.#say(region.id, { className, task }, task);
    corrections.objects.confirmed++;
  }

  /** Whether a person changed it after it was shown; of a state that no export showed, whether one said anything. */
  #isChangedByPerson(now: RegionNow, before: ShownRegion): boolean {
    const isElsewhere =
      this.#context.base === 'export' && now.region.touched && isMoved(now.region.box, before.box, this.#context);
    return isElsewhere || this.#saidByPerson(now.held, before);
  }

  #saidByPerson(held: readonly Label[], { classes }: ShownRegion): boolean {
    const isSaid = held.some(({ origin }) => origin === 'human');
    const names = held.map(({ className }) => className);
    return isSaid && (this.#context.base !== 'export' || !sameNames(names, classes));
  }

  #say(id: RegionId, label: Parameters<typeof personLabel>[1], task: string): void {
    this.#rows.labels.push(personLabel(id, label, this.#context, task));
  }
}

/** What did not win stays with the region. */
function withDisagreement(region: StoredRegion, older: readonly string[]): StoredRegion {
  if (older.length === 0) return region;
  const attributes = { ...region.details?.attributes, [DISAGREEMENT]: older.join(', ') };
  return { ...region, details: { ...region.details, attributes } };
}
