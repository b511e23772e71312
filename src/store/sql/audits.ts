/** Audits: which items were drawn, and what people said of them. */
import { sql } from 'kysely';
import type { ItemId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { AuditItem, AuditVerdict, Store } from '../store.ts';
import { idOf, imageKey, NO_BYTES, regionKey } from './codec.ts';
import { taskOf } from './dictionary.ts';
import type { AuditItemTable } from './schema.ts';
import { ORIGIN_CODES, originOf } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

type AuditStore = Pick<Store, 'startAudit' | 'audits' | 'auditItems' | 'putAuditAnswers' | 'auditedItems'>;

export function auditStore(session: Session): AuditStore {
  const { db, driver } = session;
  const add = template<{ id: number; task_id: number; at_ms: number; seed: number; design: string }>((v) =>
    db.insertInto('audit').values({ id: v.id, task_id: v.task_id, at_ms: v.at_ms, seed: v.seed, design: v.design }),
  );
  const addItem = template<Omit<AuditItemTable, 'answer'>>((v) =>
    db.insertInto('audit_item').values({
      audit_id: v.audit_id,
      image_id: v.image_id,
      region_id: v.region_id,
      class_name: v.class_name,
      origin: v.origin,
      confidence: v.confidence,
      stratum: v.stratum,
      answer: null,
    }),
  );
  const answer = template<Pick<AuditItemTable, 'audit_id' | 'image_id' | 'region_id' | 'class_name' | 'answer'>>((v) =>
    db
      .updateTable('audit_item')
      .set({ answer: v.answer })
      .where('audit_id', '=', v.audit_id)
      .where('image_id', '=', v.image_id)
      .where('region_id', '=', v.region_id)
      .where('class_name', '=', v.class_name),
  );

  async function itemsOf(auditId: number): Promise<AuditItem[]> {
    const [rows] = await driver.read([
      db
        .selectFrom('audit_item')
        .selectAll()
        .where('audit_id', '=', auditId)
        .orderBy('image_id')
        .orderBy('region_id')
        .orderBy('class_name'),
    ]);
    return rows.map((row) => ({
      itemId: itemOf(row),
      imageId: idOf(row.image_id),
      className: row.class_name,
      origin: originOf(row.origin),
      confidence: row.confidence,
      stratum: row.stratum,
      answer: row.answer === null ? null : (JSON.parse(row.answer) as AuditVerdict),
    }));
  }

  return {
    async startAudit({ task, atMs, seed, design, items }) {
      let id = 0;
      await session.write(async (draft) => {
        const [[last]] = await driver.read([db.selectFrom('audit').select((eb) => eb.fn.max('id').as('id'))]);
        id = Number(last?.id ?? 0) + 1;
        // Two that are drawn at once would take one number: the guarded counter makes the second try again.
        draft.bump('dictionary');
        draft.add(add, { id, task_id: taskOf(draft.dictionary, task).id, at_ms: atMs, seed, design });
        for (const item of items) {
          draft.add(addItem, {
            audit_id: id,
            image_id: imageKey(item.imageId),
            region_id: isRegionId(item.itemId) ? regionKey(item.itemId) : NO_BYTES,
            class_name: item.className,
            origin: ORIGIN_CODES[item.origin],
            confidence: item.confidence,
            stratum: item.stratum,
          });
        }
      });
      return id;
    },

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
          .orderBy('audit.id', 'desc'),
      ]);
      return rows[0]
        .map((row) => ({
          id: row.id,
          task: dictionary.taskById.get(row.task_id)?.name ?? '',
          atMs: row.at_ms,
          seed: row.seed,
          design: row.design,
          items: Number(row.items),
          answered: Number(row.answered),
        }))
        .filter((audit) => task === undefined || audit.task === task);
    },

    auditItems: itemsOf,

    async putAuditAnswers(auditId, answers) {
      const asked = new Map((await itemsOf(auditId)).map((item) => [`${item.itemId} ${item.className}`, item]));
      await session.write((draft) => {
        for (const { itemId, className, right, trueClass } of answers) {
          const item = asked.get(`${itemId} ${className}`);
          if (!item) {
            throw new LabelsmithError('NOT_FOUND', `Audit ${auditId} did not ask whether ${itemId} is "${className}"`);
          }
          const verdict: AuditVerdict = { right, trueClass };
          draft.add(answer, {
            audit_id: auditId,
            image_id: imageKey(item.imageId),
            region_id: isRegionId(itemId) ? regionKey(itemId) : NO_BYTES,
            class_name: className,
            answer: JSON.stringify(verdict),
          });
        }
      });
    },

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
      return new Set(rows.map(itemOf));
    },
  };
}

function itemOf(row: Pick<AuditItemTable, 'image_id' | 'region_id'>): ItemId {
  return idOf(row.region_id.byteLength === 0 ? row.image_id : row.region_id);
}
