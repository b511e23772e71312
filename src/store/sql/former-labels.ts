/**
 * Which of the classes that count as one a machine had given an item before its labels were cleared: so that the label that
 * comes in its place says it again under that class, and undoing the merge parts the items as they were. Of each origin the
 * last word is kept, for items of classes that something was merged into.
 */
import { isMachine } from '../../core/labels.ts';
import { chunks } from './chunks.ts';
import { ORIGIN_CODES, originOf } from './codes.ts';
import { hexOf, imageKey } from './column.ts';
import { type LabelFields, labelOfRow, placeOf, voiceOf } from './label-rows.ts';
import { statement } from './statement.ts';
import { labels } from './tables.ts';
import type { Work } from './work.ts';

const { imageId, regionId, taskId, origin } = labels.columns;

/** @param scope which labels are about to be dropped, of `label` */
function keeping(scope: string) {
  return [
    // A newer word about the same class takes the place of the older one.
    `delete from former_label where task_id = :taskId and origin = :origin ${scope.replaceAll('label.', 'former_label.')}
      and exists (
        select 1 from label
          join class as now on now.id = label.class_id
          join class as before on before.id = former_label.class_id
        where label.image_id = former_label.image_id and label.region_id = former_label.region_id
          and label.task_id = former_label.task_id and label.origin = former_label.origin
          and now.root_id = before.root_id)`,
    `insert into former_label (image_id, region_id, task_id, origin, class_id)
      select distinct label.image_id, label.region_id, label.task_id, label.origin, label.class_id
      from class join label on label.class_id = class.id
      where class.root_id in (select root_id from class where id <> root_id) and label.task_id = :taskId and label.origin = :origin ${scope}
      on conflict (image_id, region_id, task_id, origin, class_id) do nothing`,
  ];
}

const OF_TASK = keeping('').map((sql) => statement(sql, { taskId, origin }));
const OF_ITEM = keeping('and label.image_id = :imageId and label.region_id = :regionId').map((sql) =>
  statement(sql, { imageId, regionId, taskId, origin }),
);

/** To be added before the labels of an origin are dropped, of a task or of one item in it. */
export function keepFormer(
  work: Work,
  dropped: Pick<LabelFields, 'taskId' | 'origin'> & Partial<Pick<LabelFields, 'imageId' | 'regionId'>>,
): void {
  // Most corpora have no merged class, and nothing to remember.
  if ([...work.dictionary.classById.values()].every(({ id, rootId }) => id === rootId)) return;
  const { imageId: image, regionId: region } = dropped;
  if (image === undefined || region === undefined) for (const one of OF_TASK) work.add(one, dropped);
  else for (const one of OF_ITEM) work.add(one, { ...dropped, imageId: image, regionId: region });
}

/**
 * A machine that says a merged class again of an item says it as the class that the item had before the merge: by its own
 * last word, else by the word that held.
 */
export async function withMergedClasses(work: Work, written: readonly LabelFields[]): Promise<readonly LabelFields[]> {
  const { classById } = work.dictionary;
  const rootOf = (classId: number) => classById.get(classId)?.rootId ?? classId;
  const merged = new Set([...classById.values()].flatMap(({ id, rootId }) => (id === rootId ? [] : [rootId])));
  // Clusters say of items of people's classes which of the merged ones they are.
  const isTold = ({ origin: by, classId }: LabelFields) => by === 'cluster' && rootOf(classId) !== classId;
  const again = written.filter(
    (label) => isMachine(label.origin) && merged.has(rootOf(label.classId)) && !isTold(label),
  );
  if (again.length === 0) return written;
  const own = new Map<string, number>();
  const held = new Map<string, { readonly classId: number; readonly rank: number }>();
  const ownKey = (label: LabelFields) =>
    `${voiceOf({ ...label, modelId: 0, annotatorId: 0 })} ${rootOf(label.classId)}`;
  const itemKey = ({ classId, ...label }: Pick<LabelFields, 'imageId' | 'regionId' | 'taskId' | 'classId'>) =>
    `${placeOf(label)} ${label.taskId} ${rootOf(classId)}`;
  const hold = (key: string, classId: number, rank: number) => {
    if (rank <= (held.get(key)?.rank ?? Number.POSITIVE_INFINITY)) held.set(key, { classId, rank });
  };
  for (const chunk of chunks([...new Set(again.map((label) => label.imageId))].map(imageKey))) {
    const [former, rows] = await work.read([
      work.db.selectFrom('former_label').selectAll().where('image_id', 'in', chunk).orderBy('class_id'),
      work.db
        .selectFrom('label')
        .selectAll()
        .where('image_id', 'in', chunk)
        .where('present', '=', 1)
        .orderBy('sequence'),
    ]);
    for (const row of former) {
      const place = { imageId: hexOf(row.image_id), regionId: hexOf(row.region_id), taskId: row.task_id };
      const label = { ...place, classId: row.class_id };
      own.set(`${placeOf(place)} ${row.task_id} ${originOf(row.origin)} 0 0 ${rootOf(row.class_id)}`, row.class_id);
      hold(itemKey(label), row.class_id, row.origin);
    }
    for (const label of rows.map(labelOfRow)) {
      own.set(ownKey(label), label.classId);
      hold(itemKey(label), label.classId, ORIGIN_CODES[label.origin]);
    }
  }
  const isAgain = new Set(again);
  return written.map((label) => {
    if (!isAgain.has(label)) return label;
    return { ...label, classId: own.get(ownKey(label)) ?? held.get(itemKey(label))?.classId ?? label.classId };
  });
}
