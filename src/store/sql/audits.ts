/** Audits: which items were drawn, and what people said of them. */
import { sql } from 'kysely';
import type { ItemId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { AuditItem, AuditStore, NewAudit } from '../store.ts';
import { damaged, hexOf } from './column.ts';
import { taskOf } from './dictionary.ts';
import { heldOutStore } from './held-out.ts';
import { itemOf } from './label-rows.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { auditItems } from './stage-tables.ts';
import { decoder, insert, update } from './table.ts';
import type { Work } from './work.ts';

const addItem = insert(auditItems);
const setAnswer = update(auditItems, { set: ['answer'], where: ['auditId', 'imageId', 'regionId', 'className'] });
const fieldsOf = decoder(auditItems);

const regionIdOf = (itemId: ItemId) => (isRegionId(itemId) ? itemId : '');

export function auditStore(session: Session): AuditStore {
  const { db, driver } = session;
  return {
    ...heldOutStore(session),
    startAudit: (audit) => session.write(null, (work) => startAudit(work, audit)),

    async audits(task) {
      const { rows, dictionary } = await session.read([
        db
          .selectFrom('audit')
          .leftJoin('audit_item', 'audit_item.audit_id', 'audit.id')
          .groupBy(['audit.id', 'audit.task_id', 'audit.at_ms', 'audit.seed', 'audit.design'])
          .select((eb) => [
            'audit.id',
            'audit.task_id',
            'audit.at_ms',
            'audit.seed',
            'audit.design',
            eb.fn.count<number>('audit_item.image_id').as('items'),
            eb.fn.count<number>('audit_item.answer').as('answered'),
          ])
          .where('audit.kind', '=', 'claims')
          .orderBy('audit.id', 'desc'),
      ]);
      return rows[0]
        .map(({ id, task_id, at_ms: atMs, seed, design, items, answered }) => ({
          id,
          task: dictionary.taskById.get(task_id)?.name ?? '',
          atMs,
          seed,
          design,
          items: Number(items),
          answered: Number(answered),
        }))
        .filter((audit) => task === undefined || audit.task === task);
    },

    auditItems: (auditId) => itemsOf(session, auditId),

    putAuditAnswers: (auditId, answers) =>
      setAnswers(
        session,
        auditId,
        answers.map(({ itemId, className, right, trueClass }) => ({ itemId, className, answer: { right, trueClass } })),
      ),

    clearAuditAnswers: (auditId, items) =>
      setAnswers(
        session,
        auditId,
        items.map(({ itemId, className }) => ({ itemId, className, answer: null })),
      ),

    async auditedItems(task) {
      const taskId = taskOf(await session.freshDictionary(), task).id;
      const rows = await driver.analyse(
        db
          .selectFrom('audit_item')
          .innerJoin('audit', 'audit.id', 'audit_item.audit_id')
          .where('audit.task_id', '=', sql.lit(taskId))
          .select(['audit_item.image_id', 'audit_item.region_id'])
          .distinct(),
      );
      return new Set(rows.map((row) => itemOf({ imageId: hexOf(row.image_id), regionId: hexOf(row.region_id) })));
    },
  };
}

async function setAnswers(
  session: Session,
  auditId: number,
  answers: readonly Pick<AuditItem, 'itemId' | 'className' | 'answer'>[],
): Promise<void> {
  if (answers.length === 0) return;
  const asked = new Map((await itemsOf(session, auditId)).map((item) => [`${item.itemId} ${item.className}`, item]));
  await session.write(null, async (work) => {
    for (const { itemId, className, answer } of answers) {
      const item = asked.get(`${itemId} ${className}`);
      if (!item) {
        throw new LabelsmithError('NOT_FOUND', `Audit ${auditId} did not ask whether ${itemId} is "${className}"`);
      }
      work.add(setAnswer, { auditId, imageId: item.imageId, regionId: regionIdOf(itemId), className, answer });
    }
  });
}

async function startAudit(work: Work, { task, atMs, seed, design, items }: NewAudit): Promise<number> {
  const taskId = taskOf(work.dictionary, task).id;
  const audit = sql<{ id: number }>`
    insert into audit (task_id, at_ms, seed, design, kind) values (${taskId}, ${atMs}, ${seed}, ${design}, 'claims')
    returning id`;
  const [[{ id: auditId }]] = await work.insert(rawQuery(work.db, audit));
  for (const { itemId, ...item } of items) {
    work.add(addItem, { ...item, auditId, regionId: regionIdOf(itemId), answer: null });
  }
  return auditId;
}

async function itemsOf({ db, driver }: Session, auditId: number): Promise<AuditItem[]> {
  const [rows] = await driver.read([
    db
      .selectFrom('audit_item')
      .selectAll()
      .where('audit_id', '=', auditId)
      .orderBy('image_id')
      .orderBy('region_id')
      .orderBy('class_name'),
  ]);
  return rows.map((row) => {
    const { auditId: _, regionId, origin, confidence, ...item } = fieldsOf(row);
    if (origin === null || confidence === null) throw damaged(`audit ${auditId} asks about nothing`);
    return { ...item, origin, confidence, itemId: itemOf({ imageId: item.imageId, regionId }) };
  });
}
