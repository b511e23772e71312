/** Items held out of training: an audit with no claims, whose items are only drawn. */
import { sql } from 'kysely';
import type { ItemId } from '../../core/ids.ts';
import { isMachine, ORIGINS } from '../../core/labels.ts';
import type { AuditStore } from '../store.ts';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf, integer } from './column.ts';
import { taskOf } from './dictionary.ts';
import { itemOf } from './label-rows.ts';
import { placesOf } from './places.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { auditItems } from './stage-tables.ts';
import { statement } from './statement.ts';
import { insert } from './table.ts';

const hold = insert(auditItems, {
  fields: ['auditId', 'imageId', 'regionId', 'className', 'stratum'],
  existing: 'ignore',
  unless: `select 1 from audit_item as held join audit on audit.id = held.audit_id
    where audit.kind = 'items' and held.image_id = :imageId and held.region_id = :regionId
      and audit.task_id = (select task_id from audit as own where own.id = :auditId)`,
});
const people = ORIGINS.filter((origin) => !isMachine(origin)).map((origin) => ORIGIN_CODES[origin]);
const release = statement(
  `delete from audit_item where audit_id in (select id from audit where task_id = :taskId and kind = 'items')
    and not exists (
      select 1 from label where label.image_id = audit_item.image_id and label.region_id = audit_item.region_id
        and label.task_id = :taskId and label.origin in (${people.join(', ')}))`,
  { taskId: integer },
);

type HeldOut = Pick<AuditStore, 'holdOut' | 'heldOutItems' | 'releaseUnlabelled'>;

export function heldOutStore(session: Session): HeldOut {
  const { db, driver } = session;
  return {
    async holdOut({ task, atMs, seed, items }) {
      if (items.length === 0) return;
      await session.write(null, async (work) => {
        const placeOf = await placesOf(work, items);
        const taskId = taskOf(work.dictionary, task).id;
        const audit = sql<{ id: number }>`
          insert into audit (task_id, at_ms, seed, design, kind) values (${taskId}, ${atMs}, ${seed}, '{}', 'items')
          returning id`;
        const [[{ id: auditId }]] = await work.insert(rawQuery(db, audit));
        for (const item of items) work.add(hold, { ...placeOf(item), auditId, className: '', stratum: 0 });
      });
    },

    async heldOutItems(task) {
      const taskId = taskOf(await session.freshDictionary(), task).id;
      const rows = await driver.analyse(
        db
          .selectFrom('audit_item')
          .innerJoin('audit', 'audit.id', 'audit_item.audit_id')
          .where('audit.task_id', '=', taskId)
          .where('audit.kind', '=', 'items')
          .select(['audit_item.image_id', 'audit_item.region_id']),
      );
      return new Set(
        rows.map((row): ItemId => itemOf({ imageId: hexOf(row.image_id), regionId: hexOf(row.region_id) })),
      );
    },

    releaseUnlabelled(task) {
      return session.write(null, async (work) => {
        work.add(release, { taskId: taskOf(work.dictionary, task).id });
        const [released = 0] = await work.changed();
        return released;
      });
    },
  };
}
