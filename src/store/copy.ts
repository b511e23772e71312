/**
 * The record of one workspace as that of another, whatever drivers they have: every row of every table as it stands, with its
 * numbers, in one transaction; so what either exports is the same, byte for byte.
 *
 * Nobody writes to the source meanwhile. The target must be new. Memory: one page of rows.
 */
import { CompiledQuery } from 'kysely';
import { LabelsmithError } from '../errors.ts';
import { openDriver } from './open.ts';
import type { Query, SqlDriver, SqlTransaction } from './sql/driver.ts';
import type { SqlValue } from './sql/sql-value.ts';
import {
  artifacts,
  auditItems,
  audits,
  exportStates,
  exportsMade,
  referenceImages,
  shardResults,
  vectorShards,
} from './sql/stage-tables.ts';
import { snake } from './sql/table.ts';
import {
  acceptances,
  annotators,
  candidates,
  changes,
  classAliases,
  classes,
  detections,
  formerLabels,
  goneImages,
  imageAttributes,
  imagePaths,
  imagePrints,
  imageRevisions,
  imageSlopes,
  imageSplits,
  images,
  labels,
  models,
  operationLabels,
  operationRegions,
  operations,
  quarantine,
  regionShapes,
  regions,
  runs,
  settings,
  similarPairs,
  sourceRoots,
  type TABLES,
  tasks,
} from './sql/tables.ts';

const PAGE_ROWS = 2000;

/** What rows refer to comes before them. Classes refer to each other, and are taken apart. */
const IN_ORDER = [
  ...[settings, sourceRoots, tasks, models, acceptances, annotators, runs, changes],
  ...[
    classAliases,
    images,
    imageRevisions,
    goneImages,
    imagePaths,
    imageSplits,
    imageAttributes,
    imagePrints,
    imageSlopes,
  ],
  ...[
    quarantine,
    similarPairs,
    candidates,
    detections,
    regions,
    regionShapes,
    labels,
    formerLabels,
    vectorShards,
    shardResults,
    audits,
    auditItems,
  ],
  ...[exportsMade, exportStates, artifacts, referenceImages, operations, operationLabels, operationRegions],
] as const;

/** Everything but the classes; a test holds it to be all. */
export const COPIED = [...IN_ORDER, classes];

type AnyTable = (typeof TABLES)[number];

export interface CopyRecordOptions {
  /** What `openStore` takes. */
  readonly from: string;
  readonly to: string;
  /** Settings that are of the place and not of the record. */
  readonly leaveOut: readonly string[];
  readonly onProgress?: (rows: number) => void;
}

/** @returns the number of rows that were copied */
export async function copyRecord({ from, to, leaveOut, onProgress }: CopyRecordOptions): Promise<number> {
  const source = await openDriver(from, { create: false });
  try {
    const target = await openDriver(to, {});
    try {
      return await source.transaction((reading) =>
        target.transaction((writing) => new Copy({ source, reading, target, writing, leaveOut, onProgress }).run()),
      );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export function refusedInUse(): LabelsmithError {
  return new LabelsmithError(
    'REFUSED',
    'The workspace that is to be copied to is in use already: nothing was copied.',
    {
      hint: 'Name a folder or a schema that holds none yet.',
    },
  );
}

interface CopyParts extends Pick<CopyRecordOptions, 'leaveOut' | 'onProgress'> {
  readonly source: SqlDriver;
  readonly reading: SqlTransaction;
  readonly target: SqlDriver;
  readonly writing: SqlTransaction;
}

type Row = Readonly<Record<string, SqlValue>>;

class Copy {
  readonly #parts: CopyParts;
  #rows = 0;

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  async run(): Promise<number> {
    const { target, writing } = this.#parts;
    await this.#refuseUsed();
    // The tasks that every workspace has from its first moment on, with numbers of its own.
    writing.add('delete from task', []);
    for (const table of IN_ORDER) {
      if (table === classAliases) await this.#classes();
      await this.#table(table);
    }
    await this.#undoTriggers();
    await target.continueNumbers(writing);
    return this.#rows;
  }

  async #refuseUsed(): Promise<void> {
    const { db } = this.#parts.target;
    const [image, run] = await this.#parts.writing.read([
      db.selectFrom('image').select('id').limit(1),
      db.selectFrom('run').select('key').limit(1),
    ]);
    if (image.length + run.length === 0) return;
    throw refusedInUse();
  }

  async #table(table: AnyTable): Promise<void> {
    const sql = replacementOf(table);
    const isKept = (row: Row) => table !== settings || !this.#parts.leaveOut.includes(String(row.key));
    for await (const rows of this.#pages(table)) {
      const kept = rows.filter(isKept);
      for (const row of kept) {
        this.#parts.writing.add(
          sql,
          table.names.map((name) => row[name]),
        );
      }
      await this.#written(kept.length);
    }
  }

  /** First without what they refer to. */
  async #classes(): Promise<void> {
    const sql = replacementOf(classes);
    for (const isComplete of [false, true]) {
      for await (const rows of this.#pages(classes)) {
        for (const row of rows) {
          const bare = isComplete ? row : { ...row, root_id: 0, parent_id: null };
          this.#parts.writing.add(
            sql,
            classes.names.map((name) => bare[name] ?? null),
          );
        }
        await this.#written(isComplete ? rows.length : 0);
      }
    }
  }

  /** Images that were noted as gone were noted as changed by it, in the newest change. */
  async #undoTriggers(): Promise<void> {
    const { source, reading, writing } = this.#parts;
    for await (const gone of this.#pages(goneImages)) {
      for (const { image_id: id } of gone) {
        const [[row]] = await reading.read([
          source.db
            .selectFrom('image')
            .select('revision')
            .where('id', '=', id as Uint8Array),
        ]);
        writing.add('update image set revision = ? where id = ?', [row?.revision ?? 0, id ?? null]);
      }
    }
    const newest = source.db.selectFrom('change').selectAll().orderBy('id', 'desc').limit(1);
    const [[change]] = await reading.read([newest]);
    if (change === undefined) return;
    writing.add('update change set first_image = ?, last_image = ? where id = ?', [
      change.first_image,
      change.last_image,
      change.id,
    ]);
  }

  async #written(rows: number): Promise<void> {
    await this.#parts.writing.changed();
    this.#rows += rows;
    this.#parts.onProgress?.(this.#rows);
  }

  async *#pages(table: AnyTable): AsyncGenerator<readonly Row[]> {
    const keys = table.key.map((field) => snake(field));
    let after: readonly SqlValue[] | undefined;
    for (;;) {
      const behind = after === undefined ? '' : ` where (${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`;
      const text = `select ${table.names.join(', ')} from ${table.name}${behind} order by ${keys.join(', ')} limit ${PAGE_ROWS}`;
      const values = after ?? [];
      const query: Query<Row> = { compile: () => CompiledQuery.raw(text, [...values]) };
      const [rows] = await this.#parts.reading.read([query]);
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (rows.length < PAGE_ROWS || last === undefined) return;
      after = keys.map((key) => last[key]);
    }
  }
}

/** Puts a whole row in the place of one of the same key. */
function replacementOf({ name, names, key }: AnyTable): string {
  const keys = key.map((field) => snake(field));
  const sets = names.filter((one) => !keys.includes(one)).map((one) => `${one} = excluded.${one}`);
  const existing = sets.length === 0 ? 'do nothing' : `do update set ${sets.join(', ')}`;
  const values = names.map(() => '?').join(', ');
  return `insert into ${name} (${names.join(', ')}) values (${values}) on conflict (${keys.join(', ')}) ${existing}`;
}
