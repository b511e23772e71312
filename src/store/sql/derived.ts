/**
 * Labels of images that a detector derived from regions, and a person's word about those regions: when a person has
 * deleted or contradicted every region of a class, the image is not said to show that class either.
 */
import type { ImageId, RegionId } from '../../core/ids.ts';
import type { Label } from '../../core/labels.ts';
import { currentLabels, NONE_OF_THESE } from '../../core/labels.ts';
import { idOf, imageKey, NO_BYTES } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import type { LabelTable } from './schema.ts';
import { NONE_CLASS_ID, ORIGIN_CODES, originOf } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';

/** What the same transaction is about to write. */
export interface Pending {
  readonly buried?: ReadonlySet<RegionId>;
  /** Newer than all labels in the database; their `sequence` orders them. */
  readonly said?: readonly LabelTable[];
}

export type LostLabel = Pick<LabelTable, 'image_id' | 'region_id' | 'task_id' | 'class_id' | 'origin'>;

/** Derived labels of these images whose class no region holds any more, though some region was given it. */
export async function lostImageLabels(
  session: Session,
  imageIds: ReadonlySet<ImageId>,
  pending: Pending,
): Promise<LostLabel[]> {
  const { db } = session;
  const lost: LostLabel[] = [];
  for (const piece of pieces([...imageIds].map(imageKey))) {
    const { rows, dictionary } = await session.read([
      db.selectFrom('label').selectAll().where('image_id', 'in', piece),
      db.selectFrom('region').select('id').where('image_id', 'in', piece).where('deleted', '=', 1),
    ]);
    const gone = new Set([...rows[1].map((row) => idOf(row.id)), ...(pending.buried ?? [])]);
    const images = new Set(piece.map(idOf));
    const said = (pending.said ?? []).filter((row) => images.has(idOf(row.image_id)));
    const labels = overlaid(rows[0], said);
    const given = new Set<string>();
    const held = new Set<string>();
    for (const [, own] of Map.groupBy(labels.filter(onRegion), (row) => `${idOf(row.region_id)} ${row.task_id}`)) {
      const [{ image_id, region_id, task_id }] = own as [LabelTable];
      const place = `${idOf(image_id)} ${task_id}`;
      for (const row of own) given.add(`${place} ${rootOf(dictionary, row.class_id)}`);
      if (gone.has(idOf(region_id))) continue;
      for (const classId of standingClasses(own, dictionary)) held.add(`${place} ${classId}`);
    }
    for (const row of labels) {
      if (onRegion(row) || row.origin !== ORIGIN_CODES.detector) continue;
      const { image_id, task_id, class_id, origin } = row;
      const key = `${idOf(image_id)} ${task_id} ${rootOf(dictionary, class_id)}`;
      if (given.has(key) && !held.has(key)) lost.push({ image_id, region_id: NO_BYTES, task_id, class_id, origin });
    }
  }
  return lost;
}

export function rootOf(dictionary: Dictionary, classId: number): number {
  return dictionary.classById.get(classId)?.rootId ?? classId;
}

/**
 * The classes that hold of one item in one task, by the number they count as. By number and not by name, because a class
 * may be new in the very transaction that asks.
 */
export function standingClasses(rows: readonly LabelTable[], dictionary: Dictionary): Set<number> {
  const rule = dictionary.taskById.get(rows[0]?.task_id ?? -1)?.rule;
  if (rule === undefined) return new Set();
  const labels = rows.map((row): Label => {
    const classId = rootOf(dictionary, row.class_id);
    return {
      itemId: idOf(row.region_id),
      task: '',
      className: classId === NONE_CLASS_ID ? NONE_OF_THESE : String(classId),
      present: row.present !== 0,
      origin: originOf(row.origin),
      confidence: row.confidence,
      runId: null,
      sequence: row.sequence,
    };
  });
  return new Set(currentLabels(labels, rule).map((label) => Number(label.className)));
}

const onRegion = (row: LabelTable): boolean => row.region_id.byteLength > 0;

function overlaid(rows: readonly LabelTable[], said: readonly LabelTable[]): LabelTable[] {
  const newest = Math.max(0, ...rows.map((row) => row.sequence));
  const byKey = new Map<string, LabelTable>();
  const keyOf = (row: LabelTable) =>
    [
      idOf(row.image_id),
      idOf(row.region_id),
      row.task_id,
      row.class_id,
      row.origin,
      row.model_id,
      row.annotator_id,
    ].join(' ');
  for (const row of rows) byKey.set(keyOf(row), row);
  for (const row of said) byKey.set(keyOf(row), { ...row, sequence: newest + row.sequence });
  return [...byKey.values()];
}
