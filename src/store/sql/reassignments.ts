/** Labels that an operation on the corpus takes from one class to another, item by item: what is written, and instead of what. */
import type { CorpusState, Reassignment } from '../../core/corpus.ts';
import type { RegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { lostImageLabels } from './derived.ts';
import { taskOf } from './dictionary.ts';
import { LABEL_STATEMENTS, type LabelFields, labelKeyOf, placeOf, voiceOf } from './label-rows.ts';
import type { ItemChanges } from './operation-log.ts';
import { deletedRegions, type Places, placesOf, readPlaces } from './places.ts';
import { REGION_STATEMENTS, type RegionFields } from './region-rows.ts';
import { NO_ANNOTATOR_ID, NO_MODEL_ID } from './tables.ts';
import type { Work } from './work.ts';

/** By key. */
interface Plan {
  readonly before: Map<string, LabelFields>;
  readonly after: Map<string, LabelFields>;
  /** Regions that the operation freezes. */
  readonly frozen: Map<RegionId, RegionFields>;
}

/** One reassignment with its numbers. */
interface Move {
  readonly imageId: string;
  readonly regionId: string;
  readonly taskId: number;
  readonly from: number;
  readonly to: number;
}

type RootOf = (classId: number) => number;

/** Does them, and gives what was done. */
export async function reassign(
  work: Work,
  state: CorpusState,
  how: 'word' | 'move',
  list: readonly Reassignment[],
): Promise<ItemChanges> {
  const moves = await movesOf(work, list);
  const imageIds = new Set(moves.map(({ imageId }) => imageId));
  const now = await readPlaces(work, imageIds);
  const rootOf: RootOf = (classId) => state.classes.get(classId)?.rootId ?? classId;
  const plan: Plan = { before: new Map(), after: new Map(), frozen: new Map() };
  if (how === 'word') {
    planWords(plan, moves, now, () => work.nextSequence(), rootOf);
    const said = [...plan.after.values()];
    const derivation = { labels: now.labels.values(), deleted: deletedRegions(now), said };
    for (const label of lostImageLabels(derivation, work.dictionary)) plan.before.set(labelKeyOf(label), label);
  } else {
    planMoves(plan, moves, now, rootOf);
  }
  for (const key of plan.after.keys()) {
    const replaced = now.labels.get(key);
    if (replaced) plan.before.set(key, replaced);
  }
  for (const [key, label] of plan.before) if (!plan.after.has(key)) work.add(LABEL_STATEMENTS.drop, label);
  for (const label of plan.after.values()) work.add(LABEL_STATEMENTS.put, label);
  const frozen = [...plan.frozen.values()];
  for (const { imageId, id } of frozen) work.add(REGION_STATEMENTS.touch, { imageId, id });
  work.touch(imageIds);
  return {
    labelsBefore: plan.before.values(),
    labelsAfter: plan.after.values(),
    regionsBefore: frozen.map((region) => ({ region })),
    regionsAfter: frozen.map((region) => ({ region: { ...region, touched: true } })),
  };
}

async function movesOf(work: Work, list: readonly Reassignment[]): Promise<Move[]> {
  const placeOfItem = await placesOf(
    work,
    list.map(({ itemId }) => itemId),
  );
  const seen = new Set<string>();
  return list.map(({ itemId, task, from, to }) => {
    const key = `${itemId} ${task} ${from}`;
    if (seen.has(key)) throw new LabelsmithError('USAGE', `The item ${itemId} is named twice in one operation`);
    seen.add(key);
    return { ...placeOfItem(itemId), taskId: taskOf(work.dictionary, task).id, from, to };
  });
}

/**
 * A person says of each item: not this, but that. The region is frozen by it; an image that was given the old class
 * because of its regions is given the new one as well.
 */
function planWords(plan: Plan, moves: readonly Move[], now: Places, next: () => number, rootOf: RootOf): void {
  const human = {
    origin: 'human',
    modelId: NO_MODEL_ID,
    annotatorId: NO_ANNOTATOR_ID,
    confidence: 1,
    runKey: null,
  } as const;
  const say = (label: LabelFields) => plan.after.set(labelKeyOf(label), label);
  const imagesWith = new Set<string>();
  for (const { imageId, regionId, taskId, classId, present } of now.labels.values()) {
    if (regionId === '' && present) imagesWith.add(`${imageId} ${taskId} ${rootOf(classId)}`);
  }
  for (const { from, to, ...place } of moves) {
    say({ ...place, ...human, classId: from, present: false, sequence: next() });
    say({ ...place, ...human, classId: to, present: true, sequence: next() });
    if (place.regionId === '') continue;
    const region = now.regions.get(place.regionId);
    if (region && !region.touched) plan.frozen.set(region.id, region);
    if (imagesWith.has(`${place.imageId} ${place.taskId} ${from}`)) {
      say({ ...place, ...human, regionId: '', classId: to, present: true, sequence: next() });
    }
  }
}

/** Labels change their class. Where the new one was given already by the same voice, the newer of the two stands. */
function planMoves(plan: Plan, moves: readonly Move[], now: Places, rootOf: RootOf): void {
  const byPlace = Map.groupBy(
    now.labels.values(),
    (label) => `${placeOf(label)} ${label.taskId} ${rootOf(label.classId)}`,
  );
  const move = (label: LabelFields, to: number) => {
    const moved = { ...label, classId: to };
    const key = labelKeyOf(moved);
    const there = plan.after.get(key) ?? now.labels.get(key);
    plan.before.set(labelKeyOf(label), label);
    plan.after.set(key, there && there.sequence > moved.sequence ? there : moved);
  };
  const derived: DerivedLabels = new Map();
  for (const { from, to, ...place } of moves) {
    for (const label of byPlace.get(`${placeOf(place)} ${place.taskId} ${from}`) ?? []) {
      move(label, to);
      if (label.regionId === '' || label.origin !== 'detector') continue;
      const ofImage = byPlace.get(`${placeOf({ ...place, regionId: '' })} ${place.taskId} ${from}`) ?? [];
      for (const image of ofImage.filter((one) => one.origin === label.origin && one.modelId === label.modelId)) {
        const entry = derived.get(labelKeyOf(image)) ?? { image, to: new Map(), regions: new Set() };
        derived.set(labelKeyOf(image), entry);
        entry.regions.add(label.regionId);
        const best = entry.to.get(to);
        if (!best || best.confidence < label.confidence) entry.to.set(to, label);
      }
    }
  }
  planDerived(plan, derived, now, rootOf);
}

/** Labels of images with regions of theirs that were moved, and the best label of those by class. */
type DerivedLabels = Map<
  string,
  { readonly image: LabelFields; readonly to: Map<number, LabelFields>; readonly regions: Set<RegionId> }
>;

/** What a detector says of the image follows from its regions, so it goes where they go. */
function planDerived(plan: Plan, derived: DerivedLabels, now: Places, rootOf: RootOf): void {
  const claimOf = (label: LabelFields) => `${voiceOf({ ...label, regionId: '' })} ${rootOf(label.classId)}`;
  const regionsOf = Map.groupBy(
    [...now.labels.values()].filter(({ regionId }) => regionId !== ''),
    claimOf,
  );
  for (const { image, to, regions } of derived.values()) {
    const stays = (regionsOf.get(claimOf(image)) ?? []).some(({ regionId }) => !regions.has(regionId));
    if (!stays) plan.before.set(labelKeyOf(image), image);
    for (const [classId, { confidence }] of to) {
      const moved = { ...image, classId, confidence };
      if (!plan.after.has(labelKeyOf(moved))) plan.after.set(labelKeyOf(moved), moved);
    }
  }
}
