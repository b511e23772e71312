/**
 * Passing on what hangs on an image that is gone to the one that took its place: labels of every origin, regions with their
 * shapes, candidates, audit items, splits, attributes, and the rows of history, so that undo finds them. What the heir has
 * of its own stays. The image itself, of which nothing is left then, leaves the record.
 *
 * Every statement asks for itself whether the image is gone, in the transaction that made it so: one that still has a
 * path keeps everything.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Draft } from './changeset.ts';
import { imageKey } from './codec.ts';
import type { Schema } from './schema.ts';
import { template } from './template.ts';

interface Passing {
  from: Uint8Array;
  to: Uint8Array;
}

/** Of each table with a row of an image: the columns that tell its rows of one image apart. */
const KEYS = {
  region_shape: ['region_id'],
  label: ['region_id', 'task_id', 'class_id', 'origin', 'model_id', 'annotator_id'],
  candidate: ['model_id'],
  detection: ['model_id'],
  image_split: [],
  image_attributes: [],
  audit_item: ['audit_id', 'region_id', 'class_name'],
  class_history_label: ['history_id', 'region_id', 'task_id', 'class_id', 'origin', 'model_id', 'annotator_id', 'side'],
  class_history_region: ['history_id', 'region_id'],
} as const satisfies Partial<Record<keyof Schema, readonly string[]>>;

const REGION_COLUMNS = ['id', 'x1', 'y1', 'x2', 'y2', 'score', 'model_id', 'run_key', 'touched', 'deleted', 'crowd'];

/** The statements, in their order. */
export function heirStatements(db: Kysely<Schema>) {
  const statement = (build: (v: Passing) => RawBuilder<unknown>) =>
    template<Passing>((v) => ({ compile: () => build(v).compile(db) }));
  const isGone = (v: Passing) => sql`exists (select 1 from gone_image where gone_image.image_id = ${v.from})`;
  const columns = sql.join(REGION_COLUMNS.map((column) => sql.ref(column)));

  const copyRegions = statement(
    (v) => sql`insert into region (image_id, ${columns}) select ${v.to}, ${columns} from region
      where image_id = ${v.from} and ${isGone(v)}
        and not exists (select 1 from region as own where own.image_id = ${v.to} and own.id = region.id)`,
  );
  const pass = Object.entries(KEYS).map(([table, keys]) => {
    const same = keys.map((key) => sql` and own.${sql.ref(key)} = ${sql.table(table)}.${sql.ref(key)}`);
    return statement(
      (v) => sql`update ${sql.table(table)} set image_id = ${v.to} where image_id = ${v.from} and ${isGone(v)}
        and not exists (select 1 from ${sql.table(table)} as own where own.image_id = ${v.to}${sql.join(same, sql``)})`,
    );
  });
  const passPaths = statement(
    (v) => sql`update image_path set image_id = ${v.to} where image_id = ${v.from} and missing = 1 and ${isGone(v)}`,
  );
  // What the heir had of its own was not passed on.
  const drop = [...Object.keys(KEYS), 'region'].map((table) =>
    statement((v) => sql`delete from ${sql.table(table)} where image_id = ${v.from} and ${isGone(v)}`),
  );
  const dropPairs = ['a', 'b'].map((side) =>
    statement((v) => sql`delete from similar_pair where ${sql.ref(side)} = ${v.from} and ${isGone(v)}`),
  );
  const renameGroup = statement(
    (v) => sql`update image set group_id = (
        select min(other.id) from image as other where other.group_id = ${v.from} and other.id <> ${v.from})
      where group_id = ${v.from} and id <> ${v.from} and ${isGone(v)}`,
  );
  const dropGone = statement((v) => sql`delete from gone_image where image_id = ${v.from}`);
  // Nothing refers to it by now, unless it is not gone.
  const dropImage = statement(
    (v) => sql`delete from image where id = ${v.from} and id <> ${v.to}
      and not exists (select 1 from image_path where image_path.image_id = ${v.from})`,
  );
  return [copyRegions, ...pass, ...drop, ...dropPairs, renameGroup, passPaths, dropGone, dropImage];
}

/** Adds what passes on to a transaction whose statements so far have made the images gone. */
export function passOn(
  draft: Draft,
  statements: ReturnType<typeof heirStatements>,
  heirs: ReadonlyMap<string, string>,
): void {
  if (heirs.size > 0) draft.bump('regions');
  for (const [from, to] of heirs) {
    for (const one of statements) draft.add(one, { from: imageKey(from), to: imageKey(to) });
  }
}
