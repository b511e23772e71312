/**
 * What a filter of items asks, as conditions in SQL on an image's id and a region's. `holds` is `currentLabels`
 * (core/labels.ts) for one row of `label`; a property test holds the two together.
 */
import { type RawBuilder, sql } from 'kysely';
import type { ImageId } from '../../core/ids.ts';
import type { QualityFlag } from '../../core/image.ts';
import type { ItemKind, TaskRule } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ItemFilter } from '../store.ts';
import { FLAG_BITS, ORIGIN_CODES } from './codes.ts';
import { imageKey, NO_BYTES } from './column.ts';
import { type Dictionary, rootClassId, taskOf } from './dictionary.ts';
import { inRange, type KeyRange } from './image-parts.ts';
import { NONE_CLASS_ID } from './tables.ts';

export type Sql = RawBuilder<unknown>;

/** A filter with numbers in place of names. */
export interface ItemConditions {
  readonly items: ItemKind;
  /** Null where nothing is asked of labels and no task is given. */
  readonly task: TaskConditions | null;
  readonly clusterIds: readonly number[] | null;
  readonly flag: QualityFlag | undefined;
  readonly groupId: ImageId | undefined;
  readonly duplicates: boolean;
  readonly path: string | undefined;
  readonly gone: boolean;
  /** Images whose ids are in it alone. Default: all. */
  readonly range?: KeyRange;
}

export interface TaskConditions {
  readonly id: number;
  readonly rule: TaskRule;
  /** There are classes that count as others. */
  readonly hasMerged: boolean;
  /** `some`: a label that holds is as the rest says. */
  readonly labels: 'some' | 'none' | 'any';
  /** Every class that counts as the one that was asked for. */
  readonly classIds: readonly number[] | null;
  readonly originCodes: readonly number[] | null;
  readonly minConfidence: number | undefined;
  readonly maxConfidence: number | undefined;
}

const ASKING_OF_LABELS = ['state', 'className', 'origins', 'minConfidence', 'maxConfidence', 'cluster'] as const;
/** Of those, what a label must be like. */
const OF_ONE_LABEL = ['className', 'origins', 'minConfidence', 'maxConfidence'] as const;

/** @param needsLabels only items with a label that holds are asked for, whatever the filter says */
export function conditionsOf(filter: ItemFilter, dictionary: Dictionary, needsLabels = false): ItemConditions {
  const { cluster, flag, groupId, duplicates = false, path, gone = false } = filter;
  const task = taskConditions(filter, dictionary, needsLabels);
  const known = filter.task === undefined ? undefined : taskOf(dictionary, filter.task);
  return {
    items: filter.items ?? known?.items ?? 'images',
    task,
    clusterIds: cluster === undefined ? null : classIdsOf(dictionary, cluster),
    flag,
    groupId,
    duplicates,
    path,
    gone,
  };
}

function taskConditions(filter: ItemFilter, dictionary: Dictionary, needsLabels: boolean): TaskConditions | null {
  const { state, className, origins, minConfidence, maxConfidence } = filter;
  if (filter.task === undefined) {
    const asked = needsLabels ? 'this order' : ASKING_OF_LABELS.find((name) => filter[name] !== undefined);
    if (asked === undefined) return null;
    throw new LabelsmithError(
      'USAGE',
      `Items are asked for by their labels (${asked}), and no task says which labels`,
      {
        hint: 'Name a task in the filter.',
      },
    );
  }
  const ofLabel = OF_ONE_LABEL.find((name) => filter[name] !== undefined);
  if (state === 'unlabelled' && (ofLabel !== undefined || needsLabels)) {
    throw new LabelsmithError('USAGE', `Items without a label have no ${ofLabel ?? 'place in this order'}`, {
      hint: 'Leave out one of the two.',
    });
  }
  const { id, rule } = taskOf(dictionary, filter.task);
  const some = state === 'labelled' || ofLabel !== undefined || needsLabels;
  return {
    id,
    rule,
    hasMerged: [...dictionary.classById.values()].some((entry) => entry.id !== entry.rootId),
    labels: some ? 'some' : state === 'unlabelled' ? 'none' : 'any',
    classIds: className === undefined ? null : classIdsOf(dictionary, className),
    originCodes: origins === undefined ? null : [...new Set(origins)].map((origin) => ORIGIN_CODES[origin]),
    minConfidence,
    maxConfidence,
  };
}

function classIdsOf(dictionary: Dictionary, name: string): number[] {
  const id = dictionary.classIds.get(name);
  if (id === undefined || id === NONE_CLASS_ID) {
    throw new LabelsmithError('NOT_FOUND', `There is no class "${name.toWellFormed()}"`, {
      hint: 'See labelsmith corpus list.',
    });
  }
  const root = rootClassId(dictionary, id);
  return [...dictionary.classById.values()].filter(({ rootId }) => rootId === root).map((entry) => entry.id);
}

/** The two ids of an item, as SQL names them. */
export interface ItemRef {
  readonly imageId: Sql;
  readonly regionId: Sql;
}

export const itemOfLabel = (alias: Sql): ItemRef => ({
  imageId: sql`${alias}.image_id`,
  regionId: sql`${alias}.region_id`,
});

const sameItem = (other: Sql, { imageId, regionId }: ItemRef) =>
  sql`${other}.image_id = ${imageId} and ${other}.region_id = ${regionId}`;

export const all = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` and `);

/** Numbers of our own, written out, so that partial indexes are seen to fit. */
function oneOf(column: Sql, numbers: readonly number[]): Sql {
  if (numbers.length === 1) return sql`${column} = ${sql.lit(numbers[0])}`;
  return sql`${column} in (${sql.join(numbers.map((one) => sql.lit(one)))})`;
}

/** What is asked of the image and of clusters. */
export function conditionsOnItem(asked: ItemConditions, item: ItemRef): Sql[] {
  const { imageId, regionId } = item;
  const conditions: Sql[] = [];
  if (asked.items === 'regions') {
    conditions.push(sql`exists (
      select 1 from region as drawn where drawn.image_id = ${imageId} and drawn.id = ${regionId} and drawn.deleted = 0)`);
  }
  if (!asked.gone) {
    conditions.push(sql`not exists (select 1 from gone_image where gone_image.image_id = ${imageId})`);
  }
  if (asked.range !== undefined) conditions.push(inRange(imageId, asked.range));
  if (asked.flag !== undefined) {
    conditions.push(sql`${imageId} in (
      select flagged.id from image as flagged where flagged.flags <> 0 and (flagged.flags & ${sql.lit(FLAG_BITS[asked.flag])}) <> 0)`);
  }
  if (asked.groupId !== undefined) {
    const group = imageKey(asked.groupId);
    // A group is named after its first image; the index of groups lists the others alone.
    conditions.push(sql`${imageId} in (
      select first.id from image as first where first.id = ${group} and first.group_id = ${group}
      union all
      select other.id from image as other where other.group_id = ${group} and other.group_id <> other.id)`);
  }
  if (asked.duplicates) {
    // The index of groups has the images that are not the first ones.
    conditions.push(sql`${imageId} in (
      select other.id from image as other where other.group_id <> other.id
      union all
      select other.group_id from image as other where other.group_id <> other.id)`);
  }
  if (asked.path !== undefined) {
    conditions.push(sql`exists (
      select 1 from image_path where image_path.image_id = ${imageId}
        and ${pathHas(sql`image_path`, asked.path)})`);
  }
  if (asked.clusterIds !== null) {
    conditions.push(sql`exists (
      select 1 from label as clustered where ${sameItem(sql`clustered`, item)} and ${inCluster(sql`clustered`, asked)})`);
  }
  return conditions;
}

export const pathHas = (row: Sql, text: string) => sql`lower(${row}.path) like lower(${patternOf(text)}) escape '\\'`;

const patternOf = (text: string) => `%${text.replaceAll(/[\\%_]/g, (special) => `\\${special}`)}%`;

/** What makes a row of `label` the word of a clustering that is asked for. */
export function inCluster(label: Sql, { task, clusterIds }: ItemConditions): Sql {
  return sql`${label}.task_id = ${task?.id} and ${oneOf(sql`${label}.class_id`, clusterIds ?? [])}
    and ${label}.origin = ${sql.lit(ORIGIN_CODES.cluster)} and ${label}.present = 1`;
}

/** What is asked of labels, where the rows at hand are items. */
export function conditionsOnLabels(task: TaskConditions | null, item: ItemRef): Sql[] {
  if (task === null || task.labels === 'any') return [];
  const label = sql`asked`;
  const there = sql`exists (
    select 1 from label as asked where ${sameItem(label, item)} and ${all(matching(task, label, { byTask: true }))}
      and ${holds(task, 'asked')})`;
  return [task.labels === 'some' ? there : sql`not ${there}`];
}

/** Columns that the planner may look a row of `label` up by, beside its item and class. */
export interface LookUp {
  readonly byTask?: boolean;
  readonly byConfidence?: boolean;
}

/**
 * What a row of `label` must be like before it is asked whether it holds. A column with a plus sign is compared and not
 * looked up by: an index of the task or of confidence would be taken where the order of items is what counts.
 */
export function matching(
  { id, classIds, originCodes, minConfidence, maxConfidence }: TaskConditions,
  label: Sql,
  { byTask = false, byConfidence = false }: LookUp = {},
): Sql[] {
  const taskId = sql`${byTask ? sql`` : sql`+`}${label}.task_id`;
  const confidence = sql`${byConfidence ? sql`` : sql`+`}${label}.confidence`;
  const conditions = [sql`${taskId} = ${id}`];
  if (classIds !== null) conditions.push(oneOf(sql`${label}.class_id`, classIds));
  if (originCodes !== null) conditions.push(oneOf(sql`${label}.origin`, originCodes));
  if (minConfidence !== undefined) conditions.push(sql`${confidence} >= ${minConfidence}`);
  if (maxConfidence !== undefined) conditions.push(sql`${confidence} <= ${maxConfidence}`);
  return conditions;
}

const NONE = sql.lit(NONE_CLASS_ID);

/** Whether a row of `label` is a label that holds of its item. */
export function holds(task: TaskConditions, alias: string, { byConfidence = false }: LookUp = {}): Sql {
  const label = sql.raw(alias);
  // The indexes of confidence have only what is present.
  const present = sql`${byConfidence ? sql`` : sql`+`}${label}.present`;
  const better = sql.raw(`better_than_${alias}`);
  // In a multi task classes stand side by side, and only what is said of one class is weighed.
  const rival = task.rule === 'single' ? sql`${better}.class_id <> ${NONE}` : sameClass(task, better, label);
  return sql`${present} = 1 and ${label}.class_id <> ${NONE} and not ${silenced(task, alias)} and not exists (
    select 1 from label as ${better} where ${sameItem(better, itemOfLabel(label))} and ${better}.task_id = ${label}.task_id
      and ${better}.present = 1 and ${rival}
      and (${better}.origin < ${label}.origin
        or (${better}.origin = ${label}.origin and ${better}.sequence > ${label}.sequence))
      and not ${silenced(task, `better_than_${alias}`)})`;
}

/** Whether a person's "not this" or "none of these" speaks against a row of `label`. */
function silenced(task: TaskConditions, alias: string): Sql {
  const label = sql.raw(alias);
  const said = sql.raw(`said_of_${alias}`);
  return sql`exists (
    select 1 from label as ${said} where ${sameItem(said, itemOfLabel(label))} and ${said}.task_id = ${label}.task_id
      and ${said}.origin = ${sql.lit(ORIGIN_CODES.human)}
      and ((${said}.present = 0 and ${sameClass(task, said, label)}) or (${said}.present = 1 and ${said}.class_id = ${NONE}))
      and (${label}.origin <> ${sql.lit(ORIGIN_CODES.human)} or ${said}.sequence > ${label}.sequence))`;
}

function sameClass({ hasMerged }: TaskConditions, a: Sql, b: Sql): Sql {
  if (!hasMerged) return sql`${a}.class_id = ${b}.class_id`;
  return sql`(select class.root_id from class where class.id = ${a}.class_id)
    = (select class.root_id from class where class.id = ${b}.class_id)`;
}

/** Rows of `label` that speak of the kind of items asked for. */
export function ofKind({ items }: ItemConditions, label: Sql): Sql {
  return items === 'images' ? sql`${label}.region_id = ${NO_BYTES}` : sql`${label}.region_id <> ${NO_BYTES}`;
}
