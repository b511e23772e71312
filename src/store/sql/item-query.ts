/**
 * The queries behind pages and counts of items: which table's rows are walked, in which order, and from where.
 *
 * Walked is what the filter narrows most by an index: labels of a class, or of a cluster (each class, task and origin in
 * order of item, merged), labels of the task, labels by confidence, images by time, else images or regions by id.
 */
import { type RawBuilder, sql } from 'kysely';
import type { ItemOrder } from '../store.ts';
import { ORIGIN_CODES } from './codes.ts';
import { NO_BYTES } from './column.ts';
import {
  all,
  conditionsOnItem,
  conditionsOnLabels,
  holds,
  type ItemConditions,
  inCluster,
  itemOfLabel,
  type LookUp,
  matching,
  ofKind,
  pathHas,
  type Sql,
  type TaskConditions,
} from './item-conditions.ts';

/** One item in its place; `place` is what it is ordered by before its ids. */
export interface ItemRow {
  readonly image_id: Uint8Array;
  readonly region_id: Uint8Array;
  readonly place: number;
}

/** Pictures that do not say when they were taken count as taken then: earlier than any date. */
const NO_TIME_MS = -8_640_000_000_000_001;

/** The index that an order needs. Made when it is first asked for, since every label that is written would pay for it. */
export function indexFor({ task }: ItemConditions, order: ItemOrder): string | null {
  switch (order) {
    case 'id':
      return null;
    case 'newest':
    case 'oldest':
      return `create index if not exists image_by_time on image (coalesce(captured_at_ms, ${NO_TIME_MS}), id)`;
    case 'confidence':
    case 'uncertainty': {
      const [name, first] =
        task?.classIds == null ? ['label_by_confidence', ''] : ['label_of_class_by_confidence', 'class_id, '];
      return `create index if not exists ${name} on label (${first}task_id, confidence, image_id, region_id) where present = 1`;
    }
    default:
      return order satisfies never;
  }
}

export const DESCENDING: ReadonlySet<ItemOrder> = new Set(['confidence', 'newest']);

/** More tables at once than this are not merged but sorted (SQLite takes 500). */
const MAX_MERGED = 100;

interface Walk {
  readonly from: Sql;
  readonly imageId: Sql;
  /** Null where items are images. */
  readonly regionId: Sql | null;
  /** Null where the ids say it all. */
  readonly place: Sql | null;
  readonly conditions: readonly Sql[];
  /** Of one item there may be several rows, next to each other. */
  readonly repeats: boolean;
}

export interface Stretch {
  readonly after?: ItemRow;
  /** Default: all. */
  readonly limit?: number;
}

export function itemQuery(asked: ItemConditions, order: ItemOrder, stretch: Stretch = {}): RawBuilder<ItemRow> {
  const walks = walksOf(asked, order);
  const descending = DESCENDING.has(order);
  const parts = walks.map((walk) => stretchOf(walk, descending, stretch));
  if (parts.length === 1) return parts[0];
  const merged = sql.join(
    parts.map((part, i) => sql`select * from (${part}) as ${sql.ref(`part_${i}`)}`),
    sql` union `,
  );
  const by = ['place', 'image_id', 'region_id'].map((name) => sql`${sql.ref(name)} ${directionOf(descending)}`);
  return sql<ItemRow>`${merged} order by ${sql.join(by)}${endOf(stretch)}`;
}

function stretchOf(walk: Walk, descending: boolean, stretch: Stretch): RawBuilder<ItemRow> {
  const { from, imageId, regionId, place, conditions, repeats } = walk;
  const { after } = stretch;
  const keys = [
    { key: place, value: after?.place },
    { key: imageId, value: after?.image_id },
    { key: regionId, value: after?.region_id },
  ].filter((one): one is typeof one & { key: Sql } => one.key !== null);
  const beyond = descending ? sql`<` : sql`>`;
  const behind: Sql[] = [];
  if (after !== undefined) {
    const [names, values] = [keys.map(({ key }) => key), keys.map(({ value }) => sql`${value}`)];
    behind.push(sql`(${sql.join(names)}) ${beyond} (${sql.join(values)})`);
    // By itself too: an index on an expression is not found by a comparison of rows.
    if (place !== null) behind.push(sql`${place} ${beyond}= ${after.place}`);
  }
  const by = sql.join(keys.map(({ key }) => sql`${key} ${directionOf(descending)}`));
  return sql<ItemRow>`select ${repeats ? sql`distinct ` : sql``}${imageId} as image_id,
    ${regionId ?? NO_REGION} as region_id, ${place ?? sql`0`} as place
    from ${from} where ${all([...behind, ...conditions])} order by ${by}${endOf(stretch)}`;
}

/** A constant, so that no index is passed over; typed, since a parameter that nothing is compared with has no type. */
const NO_REGION = sql`cast(${NO_BYTES} as blob)`;
const directionOf = (descending: boolean) => (descending ? sql`desc` : sql`asc`);
const endOf = ({ limit }: Stretch) => (limit === undefined ? sql`` : sql` limit ${limit}`);

/** How many items there are, by the name `n`. */
export function itemCount(asked: ItemConditions): RawBuilder<{ n: number }> {
  const { from, imageId, regionId, conditions, repeats } = walkById(asked);
  const rows = sql`from ${from} where ${all(conditions)}`;
  const ids = regionId === null ? imageId : sql`${imageId}, ${regionId}`;
  return repeats
    ? sql`select count(*) as n from (select distinct ${ids} ${rows}) as item`
    : sql`select count(*) as n ${rows}`;
}

function walksOf(asked: ItemConditions, order: ItemOrder): readonly Walk[] {
  switch (order) {
    case 'confidence':
    case 'uncertainty':
      return parted(asked, []).map((part) => byConfidence(part, order));
    case 'newest':
    case 'oldest':
      return [byTime(asked)];
    case 'id':
      return parted(asked, Object.values(ORIGIN_CODES)).map(walkById);
    default:
      return order satisfies never;
  }
}

/**
 * Labels of a class and, in order of item, of an origin are in order: what is asked for, a part for each.
 *
 * @param origins all of them, where they are to be apart
 */
function parted(asked: ItemConditions, origins: readonly number[]): ItemConditions[] {
  const { task, clusterIds } = asked;
  if (task?.labels === 'some') {
    const { classIds, originCodes } = task;
    const codes = origins.length === 0 ? [originCodes] : (originCodes ?? origins).map((code) => [code]);
    if (classIds === null || classIds.length * codes.length > MAX_MERGED) return [asked];
    return classIds.flatMap((classId) =>
      codes.map((code) => ({ ...asked, task: { ...task, classIds: [classId], originCodes: code } })),
    );
  }
  if (clusterIds === null || clusterIds.length > MAX_MERGED) return [asked];
  return clusterIds.map((classId) => ({ ...asked, clusterIds: [classId] }));
}

function walkById(asked: ItemConditions): Walk {
  const { task, clusterIds } = asked;
  if (task?.labels === 'some') return ofLabels(asked, task, { byTask: task.classIds !== null });
  if (clusterIds !== null) return ofClusters(asked);
  return asked.path !== undefined && asked.items === 'images' ? ofPaths(asked, asked.path) : ofItems(asked);
}

/** @param task its labels are those that are walked */
function ofLabels(asked: ItemConditions, task: TaskConditions, lookUp: LookUp): Walk {
  const label = sql`asked`;
  const item = itemOfLabel(label);
  return {
    from: sql`label as asked`,
    imageId: item.imageId,
    regionId: asked.items === 'images' ? null : item.regionId,
    place: null,
    conditions: [
      ...matching(task, label, lookUp),
      ofKind(asked, label),
      ...conditionsOnItem(asked, item),
      holds(task, 'asked', lookUp),
    ],
    // Of an item in a single task one label holds, and one of each class in others.
    repeats: task.rule !== 'single' && task.classIds === null,
  };
}

function ofClusters(asked: ItemConditions): Walk {
  const label = sql`of_cluster`;
  const item = itemOfLabel(label);
  return {
    from: sql`label as of_cluster`,
    imageId: item.imageId,
    regionId: asked.items === 'images' ? null : item.regionId,
    place: null,
    conditions: [
      inCluster(label, asked),
      ofKind(asked, label),
      ...conditionsOnItem({ ...asked, clusterIds: null }, item),
      ...conditionsOnLabels(asked.task, item),
    ],
    repeats: true,
  };
}

/** Of several labels of an item the one that comes first counts. */
function byConfidence(asked: ItemConditions, order: 'confidence' | 'uncertainty'): Walk {
  const { task } = asked;
  if (task === null) throw new Error('Confidence is of labels');
  const sooner = order === 'confidence' ? sql`>` : sql`<`;
  const isFirst = sql`not exists (
    select 1 from label as other where other.image_id = asked.image_id and other.region_id = asked.region_id
      and +other.confidence ${sooner} asked.confidence and ${all(matching(task, sql`other`))} and ${holds(task, 'other')})`;
  const walk = ofLabels(asked, task, { byTask: true, byConfidence: true });
  return {
    ...walk,
    place: sql`asked.confidence`,
    conditions: walk.repeats ? [...walk.conditions, isFirst] : walk.conditions,
  };
}

function byTime(asked: ItemConditions): Walk {
  const walk = ofItems(asked);
  const place = sql`coalesce(image.captured_at_ms, ${sql.lit(NO_TIME_MS)})`;
  if (walk.regionId === null) return { ...walk, place };
  return {
    ...walk,
    from: sql`image cross join region`,
    imageId: sql`image.id`,
    place,
    conditions: [sql`region.image_id = image.id`, ...walk.conditions],
  };
}

/** The index of paths is in order of image, and has the path: rows of images are not looked at. */
function ofPaths(asked: ItemConditions, path: string): Walk {
  const item = { imageId: sql`named.image_id`, regionId: sql`${NO_BYTES}` };
  return {
    from: sql`image_path as named`,
    imageId: item.imageId,
    regionId: null,
    place: null,
    conditions: [
      pathHas(sql`named`, path),
      ...conditionsOnItem({ ...asked, path: undefined }, item),
      ...conditionsOnLabels(asked.task, item),
    ],
    repeats: true,
  };
}

function ofItems(asked: ItemConditions): Walk {
  const ofImages = asked.items === 'images';
  const item = ofImages
    ? { imageId: sql`image.id`, regionId: sql`${NO_BYTES}` }
    : { imageId: sql`region.image_id`, regionId: sql`region.id` };
  return {
    from: ofImages ? sql`image` : sql`region`,
    imageId: item.imageId,
    regionId: ofImages ? null : item.regionId,
    place: null,
    conditions: [...conditionsOnItem(asked, item), ...conditionsOnLabels(asked.task, item)],
    repeats: false,
  };
}
