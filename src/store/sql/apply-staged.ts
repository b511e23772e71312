/** The end of a staging: names get their numbers, and what is staged becomes the record's, in one transaction. */
import { sql } from 'kysely';
import { toName } from '../../core/class-name.ts';
import { SEQUENCES_A_CHANGE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { StagedImport } from '../import-store.ts';
import type { NewOperation } from '../operation-store.ts';
import { hexOf } from './column.ts';
import { runKeyOf } from './dictionary.ts';
import { putTask } from './labels.ts';
import { addOperation } from './operation-log.ts';
import { rawQuery } from './raw-query.ts';
import { actorOf } from './regions.ts';
import type { Session } from './session.ts';
import { OF_FACTS, OF_ITEMS } from './staged-rows.ts';
import { statement } from './statement.ts';
import { update } from './table.ts';
import { changes, stagedNames } from './tables.ts';
import type { Work } from './work.ts';

const setNumber = update(stagedNames, { set: ['id'], where: ['importId', 'kind', 'number'] });
const addChange = statement("insert into change (kind, at_ms) values ('labels', :atMs)", changes.columns);

export async function applyStaged(session: Session, staged: StagedImport, operation: NewOperation): Promise<void> {
  await session.write('labels', async (work) => {
    const [there, [items], first, last] = await work.read(lookQueries(work, staged.id));
    if (there.length === 0) throw takenAway();
    await numberNames(work, staged);
    // Sequences of a change are so many; changes of one transaction follow each other.
    for (let more = Math.floor(staged.labels / SEQUENCES_A_CHANGE); more > 0; more--)
      work.add(addChange, { id: 0, kind: 'labels', atMs: Date.now(), firstImage: null, lastImage: null });
    const hasItems = Number(items.labels) + Number(items.regions) > 0;
    const application = {
      importId: staged.id,
      operationId: hasItems ? await addOperation(work, { ...operation, actor: actorOf(session, operation) }) : 0,
      changeId: work.changeId,
      runKey: runKeyOf(work.dictionary, staged.runId),
      sequence: work.changeId * SEQUENCES_A_CHANGE,
    };
    for (const one of hasItems ? [...OF_ITEMS, ...OF_FACTS] : OF_FACTS) work.add(one, application);
    for (const { image_id } of [...first, ...last]) work.reach(hexOf(image_id));
  });
}

function takenAway(): LabelsmithError {
  return new LabelsmithError(
    'BUSY',
    'What the import had prepared was taken away: it stood still for long, and another one began',
    {
      hint: 'Nothing of it was written. Run it again.',
    },
  );
}

function lookQueries(work: Work, id: number) {
  const ofImages = work.db.selectFrom('staged_image').where('import_id', '=', id).where('changes', '=', 1);
  return [
    work.db.selectFrom('staged_import').select('id').where('id', '=', id).where('dropped', '=', 0),
    rawQuery(
      work.db,
      sql<{ labels: number; regions: number }>`select
        (select count(*) from (select 1 from staged_label where import_id = ${id} limit 1) as l) as labels,
        (select count(*) from (select 1 from staged_region where import_id = ${id} limit 1) as r) as regions`,
    ),
    ofImages.select('image_id').orderBy('image_id').limit(1),
    ofImages.select('image_id').orderBy('image_id', 'desc').limit(1),
  ] as const;
}

async function numberNames(work: Work, { id: importId, names, tasks }: StagedImport): Promise<void> {
  for (const task of tasks.values()) putTask(work, task);
  await work.know({ classes: names.class.keys(), annotators: names.annotator.keys() });
  for (const [name, number] of names.class)
    work.add(setNumber, { importId, kind: 'class', number, id: work.classId(name) });
  for (const [name, number] of names.annotator)
    work.add(setNumber, { importId, kind: 'annotator', number, id: work.annotatorId(name) });
  if (tasks.size === 0) return;
  const [rows] = await work.read([work.db.selectFrom('task').selectAll()]);
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  for (const { id: number, name } of tasks.values())
    work.add(setNumber, { importId, kind: 'task', number, id: ids.get(toName(name, 'task')) ?? null });
}
