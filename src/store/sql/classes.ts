/** Classes with counts of current labels. */

import { sql } from 'kysely';
import { toClassName } from '../../core/class-name.ts';
import { CONFIRMING, namesConfirmedBy } from '../../core/confirmed-names.ts';
import type { CorpusState } from '../../core/corpus.ts';
import type { ItemKind, Origin } from '../../core/labels.ts';
import { originRank } from '../../core/labels.ts';
import { OUT_OF_CLUSTERS, type OutOfClusters, outOfClustersIn } from '../../core/out-of-clusters.ts';
import type { ClassRecord, CorpusStore, LabelCount } from '../store.ts';
import { originOf, PASSING } from './codes.ts';
import { NO_BYTES } from './column.ts';
import { entryOf, undoneQuery } from './corpus.ts';
import { stateOf } from './corpus-state.ts';
import type { Dictionary } from './dictionary.ts';
import { classNameOf, rootClassId, runIdOf } from './dictionary.ts';
import type { Query } from './driver.ts';
import { rawQuery } from './raw-query.ts';
import { bareClasses, retiredOf, retiredQuery } from './retired-classes.ts';
import type { Session } from './session.ts';
import { decoder, type RowOf, update } from './table.ts';
import { classes, NONE_CLASS_ID } from './tables.ts';
import { classesMeant } from './undone-names.ts';

/** Signed sums of current labels: of one class, task and origin there may be several rows, which add up. */
interface CountRow {
  class_id: number;
  task_id: number;
  origin: number;
  /** Null where no run gave them, and where runs are not told apart. */
  run_key: number | null;
  /** Labels of images and of all items, with the sums of their confidences. */
  n_images: number;
  sum_images: number;
  n: number;
  sum: number;
}

/**
 * `currentLabels` (core/labels.ts) counted in standard SQL, since ten million labels are too many to read into
 * JavaScript for that; a property test holds the two together.
 *
 * Of most items one origin alone speaks in a task, and all its labels hold. So: count all labels by the index of classes
 * (which needs no sorting), take off those of contested items, and add what holds of these by ranking them. Contested is
 * an item in a task about which a person or more than one origin or model spoke, that has several labels under a
 * `single` rule, labels of merged classes, whose region is deleted, or whose image is gone (whose labels do not count at all).
 *
 * @param byRun tells runs apart, which reads the labels themselves: the index has no runs
 */
export function currentCounts({ db }: Pick<Session, 'db'>, { byRun = false } = {}): Query<CountRow> {
  const run = byRun ? sql`label.run_key` : sql`null`;
  const groups = byRun
    ? sql`label.class_id, label.task_id, label.origin, label.run_key`
    : sql`label.class_id, label.task_id, label.origin`;
  const none = sql.lit(NONE_CLASS_ID);
  const ofImage = sql`label.region_id = ${NO_BYTES}`;
  const sums = (sign: 1 | -1) => sql`
    ${sql.lit(sign)} * sum(case when ${ofImage} then 1 else 0 end) as n_images,
    ${sql.lit(sign)} * sum(case when ${ofImage} then label.confidence else 0 end) as sum_images,
    ${sql.lit(sign)} * count(*) as n,
    ${sql.lit(sign)} * sum(label.confidence) as sum`;
  const ofContested = sql`label.image_id = contested.image_id and label.region_id = contested.region_id
    and label.task_id = contested.task_id and label.present = 1 and label.class_id <> ${none}`;
  // A cross join with its condition after it keeps SQLite's planner from reading all labels for a few items.
  const query = sql<CountRow>`
    with contested as (
      select image_id, region_id, task_id from label
      group by image_id, region_id, task_id
      having min(origin) = 0 or min(origin) <> max(origin) or min(model_id) <> max(model_id)
        or min(annotator_id) <> max(annotator_id)
        or (count(*) > 1 and task_id in (select id from task where rule = 'single'))
        or max(case when class_id in (select id from class where id <> root_id) then 1 else 0 end) = 1
      union
      select label.image_id, label.region_id, label.task_id from region cross join label
      where region.touched = 1 and region.deleted = 1
        and label.image_id = region.image_id and label.region_id = region.id
      union
      select label.image_id, label.region_id, label.task_id from gone_image cross join label
      where label.image_id = gone_image.image_id
    ),
    ranked as (
      select class.root_id as class_id, label.task_id, label.origin, label.region_id, label.confidence, label.run_key,
        row_number() over (
          partition by label.image_id, label.region_id, label.task_id,
            case when task.rule = 'single' then 0 else class.root_id end
          order by label.origin, label.sequence desc
        ) as place
      from contested cross join label
        join class on class.id = label.class_id
        join task on task.id = label.task_id
      where ${ofContested}
        and not exists (select 1 from gone_image where gone_image.image_id = label.image_id)
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
              or (said.present = 1 and said.class_id = ${none})
            )
            and (label.origin <> 0 or said.sequence > label.sequence)
        )
    )
    select label.class_id, label.task_id, label.origin, ${run} as run_key, ${sums(1)} from label
    where present = 1 and class_id <> ${none} group by ${groups}
    union all
    select label.class_id, label.task_id, label.origin, ${run} as run_key, ${sums(-1)} from contested cross join label
    where ${ofContested} group by ${groups}
    union all
    select label.class_id, label.task_id, label.origin, ${run} as run_key, ${sums(1)} from ranked as label
    where label.place = 1 group by ${groups}`;
  return rawQuery(db, query);
}

const setSkeleton = update(classes, { set: ['skeleton'], where: ['id'] });
const classOf = decoder(classes);

type ClassStore = Pick<
  CorpusStore,
  'classes' | 'classesOutOfClusters' | 'ensureClasses' | 'labelCounts' | 'putClassDetails'
>;

export function classStore(session: Session): ClassStore {
  return {
    async ensureClasses(names) {
      for (const name of names) toClassName(name);
      const { classIds } = await session.freshDictionary();
      if (names.every((name) => classIds.has(name))) return;
      await session.write(null, (work) => work.know({ classes: names }));
    },

    async putClassDetails(details) {
      if (details.size === 0) return;
      await session.write('corpus', async (work) => {
        await work.know({ classes: details.keys() });
        for (const [name, { skeleton }] of details) {
          if (skeleton === undefined) continue;
          work.add(setSkeleton, { id: rootClassId(work.dictionary, work.classId(name)), skeleton });
        }
      });
    },

    async classesOutOfClusters(task) {
      const { db, driver } = session;
      const [rows, aliases, corrected] = await driver.read([
        classQuery(db),
        db.selectFrom('class_alias').selectAll(),
        correctingQuery(db),
      ]);
      const state = stateOf([rows, aliases]);
      const made = withCorrected(new Map(), state, correctedIn(corrected));
      const ids = [...made].flatMap(([id, tasks]) => (tasks.has(task) ? [id] : []));
      return new Set(ids.flatMap((id) => state.classes.get(id)?.name ?? []));
    },

    async labelCounts() {
      const rows = await session.driver.analyse(currentCounts(session, { byRun: true }));
      return countsByRun(rows, await session.freshDictionary());
    },

    async classes() {
      const { db, driver } = session;
      const counted = await driver.analyse(currentCounts(session));
      const [rows, aliases, retired, undone, named, corrected] = await driver.read([
        classQuery(db),
        db.selectFrom('class_alias').selectAll(),
        retiredQuery(db),
        undoneQuery(db),
        confirmingQuery(db),
        correctingQuery(db),
      ]);
      const dictionary = await session.freshDictionary();
      const counts = countsByClass(counted, dictionary);
      const state = stateOf([rows, aliases]);
      const bare = new Set(bareClasses(state).map(({ id }) => id));
      const isHidden = (id: number) => bare.has(id) && (counts.get(id) ?? []).length === 0;
      const hidden = new Set([...retiredOf(retired)].filter(isHidden));
      const confirmed = new Set(named.flatMap(({ name, arguments: given }) => namesOf(name, given)));
      return classRecords(
        rows.filter(({ id }) => !hidden.has(id)),
        aliases.map(({ name, class_id }) => ({ name, classId: class_id })),
        counts,
        withCorrected(
          withUndone(clusterTasks(counted, dictionary), classesMeant(state, undone.map(entryOf))),
          state,
          correctedIn(corrected),
        ),
      ).map((one) => (confirmed.has(one.name) ? { ...one, confirmed: true } : one));
    },
  };
}

/** Operations that stand and may say that a class is called what it is called. */
function confirmingQuery(db: Session['db']) {
  const standing = db.selectFrom('operation').select(['name', 'arguments']).where('kind', '=', 'corpus');
  return standing.where('undone', '=', 0).where('name', 'in', CONFIRMING);
}

/** Imports that stand and made classes out of clusters. There are fewer than labels of people, all of which are counted. */
function correctingQuery(db: Session['db']) {
  const standing = db.selectFrom('operation').select('arguments').where('kind', '=', 'items').where('undone', '=', 0);
  return standing.where('name', '=', 'import').where('arguments', 'like', `%"${OUT_OF_CLUSTERS}"%`);
}

const correctedIn = (rows: readonly { readonly arguments: string }[]) =>
  rows.map((row) => outOfClustersIn(JSON.parse(row.arguments)));

const namesOf = (operation: string, given: string) =>
  namesConfirmedBy({ operation, arguments: JSON.parse(given) }).map(toClassName);

export function classQuery(db: Session['db']) {
  return db.selectFrom('class').selectAll().where('id', '<>', NONE_CLASS_ID).where('name', 'not like', PASSING);
}

/** In order of name. */
export function classRecords(
  rows: readonly RowOf<typeof classes.columns>[],
  aliases: readonly { readonly name: string; readonly classId: number }[] = [],
  counts: ReadonlyMap<number, Count[]> = new Map(),
  clusteredIn: ReadonlyMap<number, ReadonlySet<string>> = new Map(),
): ClassRecord[] {
  const entries = rows.map(classOf);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const rootOf = (id: number) => byId.get(id)?.rootId ?? id;
  const synonyms = new Map<number, string[]>();
  const addSynonym = (rootId: number, name: string) => synonyms.set(rootId, [...(synonyms.get(rootId) ?? []), name]);
  for (const { name, classId } of aliases) addSynonym(rootOf(classId), name);
  for (const { id, rootId, name } of entries) if (rootId !== id) addSynonym(rootId, name);
  return entries
    .filter(({ id, rootId }) => id === rootId)
    .map(({ id, name, parentId, description, synset, skeleton }): ClassRecord => {
      const parent = parentId === null ? undefined : byId.get(rootOf(parentId));
      return {
        name,
        synonyms: (synonyms.get(id) ?? []).sort(),
        parent: parent?.name ?? null,
        description,
        synset,
        ...(skeleton === null ? {} : { skeleton }),
        counts: counts.get(id) ?? [],
        ...(clusteredIn.has(id) ? { clusteredIn: [...(clusteredIn.get(id) ?? [])].sort() } : {}),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Count = ClassRecord['counts'][number];

function countsByRun(rows: readonly CountRow[], dictionary: Dictionary): LabelCount[] {
  const sums = new Map<string, LabelCount>();
  for (const row of rows) {
    const classId = rootClassId(dictionary, row.class_id);
    const key = [classId, row.task_id, row.origin, row.run_key].join(' ');
    const { images = 0, regions = 0 } = sums.get(key) ?? {};
    sums.set(key, {
      className: classNameOf(dictionary, classId),
      task: dictionary.taskById.get(row.task_id)?.name ?? '',
      origin: originOf(row.origin),
      runId: runIdOf(dictionary, row.run_key),
      images: images + Number(row.n_images),
      regions: regions + Number(row.n) - Number(row.n_images),
    });
  }
  return [...sums.values()].filter(({ images, regions }) => images + regions > 0);
}

/** The tasks in which labels of clusters are of each class, current ones or not: what is there is a positive row, whatever is taken off it. */
function clusterTasks(rows: readonly CountRow[], dictionary: Dictionary): Map<number, Set<string>> {
  const tasks = new Map<number, Set<string>>();
  for (const row of rows) {
    if (originOf(row.origin) !== 'cluster' || Number(row.n) <= 0) continue;
    const classId = rootClassId(dictionary, row.class_id);
    const task = dictionary.taskById.get(row.task_id)?.name ?? '';
    tasks.set(classId, (tasks.get(classId) ?? new Set()).add(task));
  }
  return tasks;
}

/** What people said of a cluster under a name that was undone since is about that cluster still. */
function withUndone(
  tasks: ReadonlyMap<number, ReadonlySet<string>>,
  meant: ReadonlyMap<number, ReadonlySet<number>>,
): ReadonlyMap<number, ReadonlySet<string>> {
  const all = new Map(tasks);
  for (const [id, others] of meant) {
    const theirs = [...others].flatMap((other) => [...(tasks.get(other) ?? [])]);
    if (theirs.length > 0) all.set(id, new Set([...(tasks.get(id) ?? []), ...theirs]));
  }
  return all;
}

/** Classes that corrections made out of clusters are of the same kind as those. */
function withCorrected(
  tasks: ReadonlyMap<number, ReadonlySet<string>>,
  { classes, synonyms }: CorpusState,
  corrected: readonly OutOfClusters[],
): ReadonlyMap<number, ReadonlySet<string>> {
  if (corrected.length === 0) return tasks;
  const ids = new Map([...synonyms, ...[...classes.values()].map(({ name, id }) => [name, id] as const)]);
  const all = new Map(tasks);
  for (const [task, names] of corrected.flatMap((one) => Object.entries(one)))
    for (const id of names.flatMap((name) => classes.get(ids.get(name) ?? NONE_CLASS_ID)?.rootId ?? []))
      all.set(id, new Set([...(all.get(id) ?? []), task]));
  return all;
}

function countsByClass(rows: readonly CountRow[], dictionary: Dictionary): Map<number, Count[]> {
  interface Sums {
    readonly n: Map<Origin, number>;
    confidence: number;
  }
  const byClass = new Map<number, Map<string, Sums>>();
  const add = (row: CountRow, items: ItemKind, n: number, confidence: number) => {
    const classId = rootClassId(dictionary, row.class_id);
    const task = dictionary.taskById.get(row.task_id)?.name ?? '';
    const groups = byClass.get(classId) ?? new Map<string, Sums>();
    byClass.set(classId, groups);
    // Tasks sort before kinds of items; no name holds a line feed.
    const key = `${task}\n${items}`;
    const sums = groups.get(key) ?? { n: new Map<Origin, number>(), confidence: 0 };
    groups.set(key, sums);
    const origin = originOf(row.origin);
    sums.n.set(origin, (sums.n.get(origin) ?? 0) + n);
    sums.confidence += confidence;
  };
  for (const row of rows) {
    add(row, 'images', Number(row.n_images), row.sum_images);
    add(row, 'regions', Number(row.n) - Number(row.n_images), row.sum - row.sum_images);
  }
  return new Map(
    [...byClass].map(([classId, groups]) => [
      classId,
      [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([key, { n, confidence }]): Count[] => {
          const [task = '', items] = key.split('\n');
          const origins = [...n].filter(([, of]) => of > 0).sort(([a], [b]) => originRank(a) - originRank(b));
          const count = origins.reduce((sum, [, of]) => sum + of, 0);
          if (count === 0) return [];
          return [
            {
              task,
              items: items as ItemKind,
              count,
              meanConfidence: confidence / count,
              origins: Object.fromEntries(origins),
            },
          ];
        }),
    ]),
  );
}
