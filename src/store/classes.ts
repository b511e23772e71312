/** Classes with counts of current labels. */
import { sql } from 'kysely';
import type { ItemKind, Origin } from '../core/labels.ts';
import type { Query } from './driver.ts';
import { NONE_CLASS_ID, originOf } from './schema.ts';
import type { Session } from './session.ts';
import type { ClassRecord, Store } from './store.ts';

interface CountRow {
  class_id: number;
  task: string;
  on_region: number;
  origin: number;
  n: number;
  confidence: number;
}

/**
 * `currentLabels` (core/labels.ts) as one query in standard SQL, since reading ten million labels into JavaScript to
 * count them takes minutes; a property test holds the two together. The rows of people are few and have an index of
 * their own, so the conditions about silence cost one failed look-up a label.
 */
export function currentCounts({ db }: Pick<Session, 'db'>): Query<CountRow> {
  const query = sql<CountRow>`
    select class_id, task, on_region, origin, count(*) as n, sum(confidence) as confidence
    from (
      select class.root_id as class_id, task.name as task, label.origin as origin, label.confidence as confidence,
        case when label.region_id = ${new Uint8Array(0)} then 0 else 1 end as on_region,
        row_number() over (
          partition by label.image_id, label.region_id, label.task_id,
            case when task.rule = 'single' then 0 else class.root_id end
          order by label.origin, label.sequence desc
        ) as place
      from label
        join class on class.id = label.class_id
        join task on task.id = label.task_id
      where label.present = 1
        and class.root_id <> ${sql.lit(NONE_CLASS_ID)}
        and not exists (
          select 1 from region
          where region.image_id = label.image_id and region.id = label.region_id
            and region.touched = 1 and region.deleted = 1
        )
        and not exists (
          select 1 from label as said join class as said_class on said_class.id = said.class_id
          where said.origin = 0
            and said.image_id = label.image_id and said.region_id = label.region_id and said.task_id = label.task_id
            and (
              (said.present = 0 and said_class.root_id = class.root_id)
              or (said.present = 1 and said.class_id = ${sql.lit(NONE_CLASS_ID)})
            )
            and (label.origin <> 0 or said.sequence > label.sequence)
        )
    ) as standing
    where place = 1
    group by class_id, task, on_region, origin`;
  return { compile: () => query.compile(db) };
}

export function classStore(session: Session): Pick<Store, 'classes'> {
  const { db } = session;
  return {
    async classes() {
      const counted = await session.driver.analyse(currentCounts(session));
      const [rows, aliases] = await session.driver.read([
        db.selectFrom('class').selectAll().where('id', '<>', NONE_CLASS_ID),
        db.selectFrom('class_alias').selectAll(),
      ]);
      const rootOf = new Map(rows.map((row) => [row.id, row.root_id]));
      const nameOf = new Map(rows.map((row) => [row.id, row.name]));
      const synonyms = new Map<number, string[]>();
      const addSynonym = (rootId: number, name: string) =>
        synonyms.set(rootId, [...(synonyms.get(rootId) ?? []), name]);
      for (const alias of aliases) addSynonym(rootOf.get(alias.class_id) ?? alias.class_id, alias.name);
      for (const row of rows) if (row.root_id !== row.id) addSynonym(row.root_id, row.name);
      const counts = countsByClass(counted);
      return rows
        .filter((row) => row.root_id === row.id)
        .map((row): ClassRecord => {
          const parentId = row.parent_id === null ? undefined : rootOf.get(row.parent_id);
          return {
            name: row.name,
            synonyms: (synonyms.get(row.id) ?? []).sort(),
            parent: parentId === undefined ? null : (nameOf.get(parentId) ?? null),
            description: row.description,
            synset: row.synset,
            counts: counts.get(row.id) ?? [],
          };
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

type Count = ClassRecord['counts'][number];

function countsByClass(rows: readonly CountRow[]): Map<number, Count[]> {
  const groups = new Map<string, CountRow[]>();
  for (const row of rows) {
    const key = `${row.class_id} ${row.on_region} ${row.task}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const byClass = new Map<number, Count[]>();
  for (const group of groups.values()) {
    const [{ class_id, task, on_region }] = group as [CountRow];
    const count = group.reduce((sum, row) => sum + Number(row.n), 0);
    const confidence = group.reduce((sum, row) => sum + row.confidence, 0);
    const items: ItemKind = on_region === 1 ? 'regions' : 'images';
    const byOrigin = group.map((row): [Origin, number] => [originOf(row.origin), Number(row.n)]);
    const origins = Object.fromEntries(byOrigin) as Partial<Record<Origin, number>>;
    const entry = { task, items, count, meanConfidence: confidence / count, origins };
    byClass.set(class_id, [...(byClass.get(class_id) ?? []), entry]);
  }
  for (const list of byClass.values()) {
    list.sort((a, b) => (a.task === b.task ? (a.items < b.items ? -1 : 1) : a.task < b.task ? -1 : 1));
  }
  return byClass;
}
