/**
 * Labels that an operation on the corpus takes from one class to another, item by item, and taking that back.
 *
 * History keeps every row as it was and as it became. Undo puts back the old row only where the new one still stands as
 * it was written; what a person or a stage said since is newer and stays.
 */
import type { CorpusState, Reassignment } from '../../core/corpus.ts';
import { isRegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Draft } from './changeset.ts';
import { idOf, imageKey, NO_BYTES, regionKey } from './codec.ts';
import { lostImageLabels } from './derived.ts';
import { taskOf } from './dictionary.ts';
import { labelStatements } from './label-statements.ts';
import { imagesOfRegions } from './regions.ts';
import type { HistoryRegionTable, LabelTable, RegionTable } from './schema.ts';
import { NO_ANNOTATOR_ID, NO_MODEL_ID, ORIGIN_CODES } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

interface Plan {
  readonly before: Map<string, LabelTable>;
  readonly after: Map<string, LabelTable>;
  /** Regions that the operation freezes. */
  readonly frozen: Map<string, RegionTable>;
}

/** One reassignment with its numbers. */
interface Move {
  readonly image_id: Uint8Array;
  readonly region_id: Uint8Array;
  readonly task_id: number;
  readonly from: number;
  readonly to: number;
}

type Side = LabelTable & { history_id: number; side: number };

export function labelHistory(session: Session) {
  const { db, driver } = session;
  const statements = labelStatements(session);
  const put = template<LabelTable>((v) =>
    db
      .insertInto('label')
      .values(columns(v))
      .onConflict((conflict) =>
        conflict
          .columns(['image_id', 'region_id', 'task_id', 'class_id', 'origin', 'model_id', 'annotator_id'])
          .doUpdateSet((eb) => ({
            present: eb.ref('excluded.present'),
            confidence: eb.ref('excluded.confidence'),
            run_key: eb.ref('excluded.run_key'),
            sequence: eb.ref('excluded.sequence'),
          })),
      ),
  );
  const drop = template<LabelTable>((v) =>
    db
      .deleteFrom('label')
      .where('image_id', '=', v.image_id)
      .where('region_id', '=', v.region_id)
      .where('task_id', '=', v.task_id)
      .where('class_id', '=', v.class_id)
      .where('origin', '=', v.origin)
      .where('model_id', '=', v.model_id)
      .where('annotator_id', '=', v.annotator_id),
  );
  const keep = template<Side>((v) =>
    db.insertInto('class_history_label').values({ ...columns(v), history_id: v.history_id, side: v.side }),
  );
  const keepRegion = template<HistoryRegionTable>((v) =>
    db.insertInto('class_history_region').values({
      history_id: v.history_id,
      image_id: v.image_id,
      region_id: v.region_id,
      x1: v.x1,
      y1: v.y1,
      x2: v.x2,
      y2: v.y2,
    }),
  );
  const thaw = template<Pick<HistoryRegionTable, 'image_id' | 'region_id'>>((v) =>
    db.updateTable('region').set({ touched: 0 }).where('image_id', '=', v.image_id).where('id', '=', v.region_id),
  );

  /** Labels and regions are to be as they were read when the transaction runs. */
  async function guard(draft: Draft): Promise<number> {
    const [counters] = await driver.read([
      db.selectFrom('counter').selectAll().where('name', 'in', ['sequence', 'regions']),
    ]);
    const value = (name: string) => counters.find((row) => row.name === name)?.value ?? 0;
    draft.guard('sequence', value('sequence'));
    draft.guard('regions', value('regions'));
    return value('sequence');
  }

  async function readPlaces(imageIds: Iterable<string>) {
    const labels = new Map<string, LabelTable>();
    const regions = new Map<string, RegionTable>();
    for (const piece of pieces([...imageIds].map(imageKey))) {
      const [labelRows, regionRows] = await driver.read([
        db.selectFrom('label').selectAll().where('image_id', 'in', piece),
        db.selectFrom('region').selectAll().where('image_id', 'in', piece),
      ]);
      for (const row of labelRows) labels.set(keyOf(row), row);
      for (const row of regionRows) regions.set(idOf(row.id), row);
    }
    return { labels, regions };
  }

  async function movesOf(draft: Draft, list: readonly Reassignment[]): Promise<Move[]> {
    const images = await imagesOfRegions(session, list.map(({ itemId }) => itemId).filter(isRegionId));
    const seen = new Set<string>();
    return list.map(({ itemId, task, from, to }) => {
      const key = `${itemId} ${task} ${from}`;
      if (seen.has(key)) throw new LabelsmithError('USAGE', `The item ${itemId} is named twice in one operation`);
      seen.add(key);
      const image = images.get(itemId);
      const place =
        image === undefined
          ? { image_id: imageKey(itemId), region_id: NO_BYTES }
          : { image_id: imageKey(image), region_id: regionKey(itemId) };
      return { ...place, task_id: taskOf(draft.dictionary, task).id, from, to };
    });
  }

  return {
    /** Reads and plans; `write` adds the statements, once the history's own row is there to refer to. */
    async prepare(draft: Draft, state: CorpusState, how: 'word' | 'move', list: readonly Reassignment[]) {
      const moves = await movesOf(draft, list);
      const sequence = await guard(draft);
      const imageIds = new Set(moves.map((move) => idOf(move.image_id)));
      const now = await readPlaces(imageIds);
      const rootOf = (classId: number) => state.classes.get(classId)?.rootId ?? classId;
      const next = () => sequence + draft.nextSequence();
      const plan: Plan = { before: new Map(), after: new Map(), frozen: new Map() };
      if (how === 'word') {
        planWords(plan, moves, now, next, rootOf);
        const said = [...plan.after.values()];
        for (const lost of await lostImageLabels(session, imageIds, { said })) {
          for (const row of now.labels.values()) if (isLost(row, lost)) plan.before.set(keyOf(row), row);
        }
      } else {
        planMoves(plan, moves, now, rootOf);
      }
      for (const key of plan.after.keys()) {
        const replaced = now.labels.get(key);
        if (replaced) plan.before.set(key, replaced);
      }
      return {
        labels: new Set([...plan.before.keys(), ...plan.after.keys()]).size,
        write(historyId: number) {
          if (how === 'word') draft.bump('regions');
          for (const [key, row] of plan.before) if (!plan.after.has(key)) draft.add(drop, row);
          for (const row of plan.after.values()) draft.add(put, row);
          for (const row of plan.frozen.values()) {
            draft.add(statements.touchRegion, { image_id: row.image_id, region_id: row.id });
          }
          for (const row of plan.before.values()) draft.add(keep, { ...row, history_id: historyId, side: 0 });
          for (const row of plan.after.values()) draft.add(keep, { ...row, history_id: historyId, side: 1 });
          for (const row of plan.frozen.values()) {
            draft.add(keepRegion, { ...row, region_id: row.id, history_id: historyId });
          }
        },
      };
    },

    async undo(draft: Draft, historyId: number): Promise<void> {
      const [rows, frozen] = await driver.read([
        db.selectFrom('class_history_label').selectAll().where('history_id', '=', historyId),
        db.selectFrom('class_history_region').selectAll().where('history_id', '=', historyId),
      ]);
      if (rows.length + frozen.length === 0) return;
      await guard(draft);
      draft.bump('regions');
      const now = await readPlaces(new Set([...rows, ...frozen].map((row) => idOf(row.image_id))));
      const intact = (row: LabelTable) => {
        const there = now.labels.get(keyOf(row));
        return there?.sequence === row.sequence && there.present === row.present;
      };
      const before = rows.filter((row) => row.side === 0);
      const after = rows.filter((row) => row.side === 1);
      const spoiled = new Set(after.filter((row) => !intact(row)).map(voiceOf));
      const removed = after.filter(intact);
      for (const row of removed) {
        draft.add(drop, row);
        now.labels.delete(keyOf(row));
      }
      for (const row of before) {
        const stands = row.region_id.byteLength === 0 || now.regions.has(idOf(row.region_id));
        if (!stands || spoiled.has(voiceOf(row)) || now.labels.has(keyOf(row))) continue;
        draft.add(put, row);
        now.labels.set(keyOf(row), row);
      }
      const spokenOf = new Set<string>();
      for (const row of now.labels.values()) {
        if (row.origin <= ORIGIN_CODES.imported) spokenOf.add(idOf(row.region_id));
      }
      for (const row of frozen) {
        const id = idOf(row.region_id);
        const region = now.regions.get(id);
        if (region && sameBox(region, row) && region.deleted === 0 && !spokenOf.has(id)) draft.add(thaw, row);
      }
    },

    /** Those of these classes that any label refers to, or any that an operation wrote or took away. */
    async labelled(classIds: readonly number[]): Promise<Set<number>> {
      const used = new Set<number>();
      for (const id of classIds) {
        const rows = await driver.read([
          db.selectFrom('label').select('class_id').where('class_id', '=', id).limit(1),
          db.selectFrom('class_history_label').select('class_id').where('class_id', '=', id).limit(1),
        ]);
        if (rows[0].length + rows[1].length > 0) used.add(id);
      }
      return used;
    },

    /** Those of these classes that labels refer to, apart from labels that undoing this operation takes away. */
    async stillUsed(classIds: readonly number[], historyId: number): Promise<Set<number>> {
      const used = new Set<number>();
      for (const id of classIds) {
        const others = db
          .selectFrom('label')
          .leftJoin('class_history_label as written', (join) =>
            join
              .onRef('written.image_id', '=', 'label.image_id')
              .onRef('written.region_id', '=', 'label.region_id')
              .onRef('written.task_id', '=', 'label.task_id')
              .onRef('written.class_id', '=', 'label.class_id')
              .onRef('written.origin', '=', 'label.origin')
              .onRef('written.model_id', '=', 'label.model_id')
              .onRef('written.annotator_id', '=', 'label.annotator_id')
              .onRef('written.sequence', '=', 'label.sequence')
              .onRef('written.present', '=', 'label.present')
              .on('written.history_id', '=', historyId)
              .on('written.side', '=', 1),
          )
          .select('label.class_id')
          .where('label.class_id', '=', id)
          .where('written.history_id', 'is', null)
          .limit(1);
        if ((await driver.analyse(others)).length > 0) used.add(id);
      }
      return used;
    },
  };
}

interface Places {
  readonly labels: ReadonlyMap<string, LabelTable>;
  readonly regions: ReadonlyMap<string, RegionTable>;
}

/**
 * A person says of each item: not this, but that. The region is frozen by it; an image that was given the old class
 * because of its regions is given the new one as well.
 */
function planWords(
  plan: Plan,
  moves: readonly Move[],
  now: Places,
  next: () => number,
  rootOf: (classId: number) => number,
): void {
  const human = {
    origin: ORIGIN_CODES.human,
    model_id: NO_MODEL_ID,
    annotator_id: NO_ANNOTATOR_ID,
    confidence: 1,
    run_key: null,
  };
  const say = (row: LabelTable) => plan.after.set(keyOf(row), row);
  const imagesWith = new Set<string>();
  for (const row of now.labels.values()) {
    if (row.region_id.byteLength === 0 && row.present === 1) {
      imagesWith.add(`${idOf(row.image_id)} ${row.task_id} ${rootOf(row.class_id)}`);
    }
  }
  for (const { from, to, ...place } of moves) {
    say({ ...place, ...human, class_id: from, present: 0, sequence: next() });
    say({ ...place, ...human, class_id: to, present: 1, sequence: next() });
    if (place.region_id.byteLength === 0) continue;
    const region = now.regions.get(idOf(place.region_id));
    if (region && region.touched === 0) plan.frozen.set(idOf(region.id), region);
    if (imagesWith.has(`${idOf(place.image_id)} ${place.task_id} ${from}`)) {
      say({ ...place, ...human, region_id: NO_BYTES, class_id: to, present: 1, sequence: next() });
    }
  }
}

/** Labels change their class. Where the new one was given already by the same voice, the newer of the two stands. */
function planMoves(plan: Plan, moves: readonly Move[], now: Places, rootOf: (classId: number) => number): void {
  const byPlace = Map.groupBy(now.labels.values(), (row) => `${placeOf(row)} ${row.task_id} ${rootOf(row.class_id)}`);
  const move = (row: LabelTable, to: number) => {
    const moved = { ...row, class_id: to };
    const key = keyOf(moved);
    const there = plan.after.get(key) ?? now.labels.get(key);
    plan.before.set(keyOf(row), row);
    plan.after.set(key, there && there.sequence > moved.sequence ? there : moved);
  };
  const moved = new Map<string, { image: LabelTable; to: Map<number, LabelTable>; regions: Set<string> }>();
  for (const { from, to, ...place } of moves) {
    for (const row of byPlace.get(`${placeOf(place)} ${place.task_id} ${from}`) ?? []) {
      move(row, to);
      if (row.region_id.byteLength === 0 || row.origin !== ORIGIN_CODES.detector) continue;
      const ofImage = byPlace.get(`${placeOf({ ...place, region_id: NO_BYTES })} ${place.task_id} ${from}`) ?? [];
      for (const image of ofImage.filter((one) => one.origin === row.origin && one.model_id === row.model_id)) {
        const entry = moved.get(keyOf(image)) ?? { image, to: new Map(), regions: new Set() };
        moved.set(keyOf(image), entry);
        entry.regions.add(idOf(row.region_id));
        const best = entry.to.get(to);
        if (!best || best.confidence < row.confidence) entry.to.set(to, row);
      }
    }
  }
  // What a detector says of the image follows from its regions, so it goes where they go.
  const claimOf = (row: LabelTable) => `${voiceOf({ ...row, region_id: NO_BYTES })} ${rootOf(row.class_id)}`;
  const regionsOf = Map.groupBy(
    [...now.labels.values()].filter((row) => row.region_id.byteLength > 0),
    claimOf,
  );
  for (const { image, to, regions } of moved.values()) {
    const stays = (regionsOf.get(claimOf(image)) ?? []).some((row) => !regions.has(idOf(row.region_id)));
    if (!stays) plan.before.set(keyOf(image), image);
    for (const [classId, { confidence }] of to) {
      const derived = { ...image, class_id: classId, confidence };
      if (!plan.after.has(keyOf(derived))) plan.after.set(keyOf(derived), derived);
    }
  }
}

function columns(row: LabelTable): LabelTable {
  return {
    image_id: row.image_id,
    region_id: row.region_id,
    task_id: row.task_id,
    class_id: row.class_id,
    origin: row.origin,
    model_id: row.model_id,
    annotator_id: row.annotator_id,
    present: row.present,
    confidence: row.confidence,
    run_key: row.run_key,
    sequence: row.sequence,
  };
}

const placeOf = (row: Pick<LabelTable, 'image_id' | 'region_id'>) => `${idOf(row.image_id)} ${idOf(row.region_id)}`;
/** One origin, with its model, speaking of one item in one task. */
const voiceOf = (row: LabelTable) => [placeOf(row), row.task_id, row.origin, row.model_id, row.annotator_id].join(' ');
const keyOf = (row: LabelTable) => `${voiceOf(row)} ${row.class_id}`;

function isLost(row: LabelTable, lost: Pick<LabelTable, 'image_id' | 'region_id' | 'task_id' | 'class_id' | 'origin'>) {
  return (
    placeOf(row) === placeOf(lost) &&
    row.task_id === lost.task_id &&
    row.class_id === lost.class_id &&
    row.origin === lost.origin
  );
}

function sameBox(region: RegionTable, row: HistoryRegionTable): boolean {
  return region.x1 === row.x1 && region.y1 === row.y1 && region.x2 === row.x2 && region.y2 === row.y2;
}
