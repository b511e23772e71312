/** The log of what people did: reading it, undoing and redoing, and what changed since a revision. */
import { sql } from 'kysely';
import type { CorpusEvent } from '../../core/corpus.ts';
import type { ImageId } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Changes, OperationFilter, OperationRecord, OperationStore } from '../operation-store.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey, NO_BYTES } from './column.ts';
import { historyIn, redoCorpus, undoCorpus } from './corpus.ts';
import type { Dictionary } from './dictionary.ts';
import { REVISION, revisedImages } from './image-revision.ts';
import { moveOperation, notToMove } from './move-operation.ts';
import { addOperation } from './operation-log.ts';
import { actorOf } from './regions.ts';
import type { Session } from './session.ts';
import { decoder, type RowOf } from './table.ts';
import { changes as changeTable, operations } from './tables.ts';
import type { Work } from './work.ts';

type OperationRow = RowOf<typeof operations.columns>;

const DEFAULT_LIMIT = 1000;
const fieldsOf = decoder(operations);
const changeOf = decoder(changeTable);

export function operationStore(session: Session): OperationStore {
  return {
    beginOperation(operation) {
      return session.write(null, (work) => addOperation(work, { ...operation, actor: actorOf(session, operation) }));
    },

    async operations(filter = {}) {
      const { rows, dictionary } = await session.read([listQuery(session, filter)]);
      const records = rows[0].map((row) => recordOf(row, dictionary));
      return filter.actor === undefined ? records : records.filter(({ actor }) => actor === filter.actor);
    },

    undo: (id) => move(session, id, 'undo'),
    redo: (id) => move(session, id, 'redo'),

    revisionsOf: (ids) => revisionsOf(session, ids),

    changes: (since) => changes(session, since),
  };
}

export async function revisionsOf({ db, driver }: Session, ids: readonly ImageId[]): Promise<Map<ImageId, number>> {
  const revisions = new Map<ImageId, number>();
  for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
    const [rows] = await driver.read([revisedImages(db).where('image.id', 'in', chunk)]);
    for (const { id, revision } of rows) revisions.set(hexOf(id), revision);
  }
  return revisions;
}

async function changes(session: Session, since: number): Promise<Changes> {
  const { db, driver } = session;
  const [rows, [last]] = await driver.read([
    db.selectFrom('change').selectAll().where('id', '>', since).orderBy('first_image'),
    db.selectFrom('change').select((eb) => eb.fn.max('id').as('id')),
  ]);
  const changed = rows.map(changeOf);
  return {
    revision: Math.max(since, last?.id ?? 0),
    corpus: changed.some(({ kind }) => kind === 'corpus'),
    forgotten: changed.some(({ kind }) => kind === 'forget'),
    async *images() {
      for (const { first, last } of rangesOf(changed)) {
        let after = NO_BYTES;
        const from = imageKey(first);
        const pages = session.pages<{ id: Uint8Array; revision: number }>(session.pageSize, async (before) => {
          after = before?.id ?? after;
          const [page] = await driver.read([
            revisedImages(db)
              .where('image.id', '>=', from)
              .where('image.id', '>', after)
              .where('image.id', '<=', imageKey(last))
              .where(REVISION, '>', since)
              .orderBy('image.id')
              .limit(session.pageSize),
          ]);
          return page;
        });
        for await (const page of pages) yield page.map(({ id, revision }) => ({ id: hexOf(id), revision }));
      }
    },
  };
}

/** Where changes reach, in order and without overlaps: each image is looked at once. */
function rangesOf(
  changed: readonly ReturnType<typeof changeOf>[],
): { readonly first: string; readonly last: string }[] {
  const ranges: { first: string; last: string }[] = [];
  for (const { firstImage: first, lastImage: last } of changed) {
    if (first === null || last === null) continue;
    const before = ranges.at(-1);
    if (before === undefined || before.last < first) ranges.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  return ranges;
}

function listQuery({ db }: Session, { limit = DEFAULT_LIMIT, before, kind, actor }: OperationFilter) {
  let query = db.selectFrom('operation').selectAll('operation').orderBy('operation.id', 'desc').limit(limit);
  if (before !== undefined) query = query.where('operation.id', '<', before);
  if (kind !== undefined) query = query.where('operation.kind', '=', kind);
  if (actor !== undefined) {
    const people = db.selectFrom('annotator').select('id').where('name', '=', actor);
    query = query.where('operation.actor_id', 'in', people);
  }
  return query;
}

function recordOf(row: OperationRow, { annotatorById }: Dictionary): OperationRecord {
  const { actorId, undone, forward: _, backward: __, ...operation } = fieldsOf(row);
  return { ...operation, actor: annotatorById.get(actorId) ?? '', undone: undone !== 0 };
}

async function move(session: Session, id: number | undefined, way: 'undo' | 'redo'): Promise<OperationRecord | null> {
  const { db } = session;
  const found = operationQuery(db, id, way);
  const [[row]] = await session.driver.read([found]);
  if (row === undefined) return refuseOrNull(session, id, way);
  if (row.kind === 'items') {
    const record = recordOf(row, await session.freshDictionary());
    await moveOperation(session, record, way);
    return { ...record, undone: way === 'undo' };
  }
  return session.write('corpus', async (work) => {
    const [[still]] = await work.read([operationQuery(db, row.id, way)]);
    // Somebody else was there first.
    if (still === undefined) throw notToMove(row.id, way);
    const record = recordOf(still, work.dictionary);
    await moveCorpus(work, record.id, way);
    return { ...record, undone: way === 'undo' };
  });
}

/** The operation that is meant; none where it is not there to be undone or redone. */
function operationQuery(db: Session['db'], id: number | undefined, way: 'undo' | 'redo') {
  const query = db
    .selectFrom('operation')
    .selectAll()
    .where('undone', way === 'undo' ? '=' : '<>', 0)
    .limit(1);
  if (id !== undefined) return query.where('id', '=', id);
  if (way === 'undo') return query.orderBy('id', 'desc');
  // An operation on the corpus that another one was done in the place of is not to be had any more.
  const standing = db.selectFrom('operation').select(sql<number>`coalesce(max(id), 0)`.as('id'));
  const newest = standing.where('kind', '=', 'corpus').where('undone', '=', 0);
  return query
    .where((eb) => eb.or([eb('kind', '=', 'items'), eb('id', '>', newest)]))
    .orderBy('undone', 'desc')
    .orderBy('id');
}

async function refuseOrNull({ db, driver }: Session, id: number | undefined, way: 'undo' | 'redo'): Promise<null> {
  if (id === undefined) return null;
  const [[known]] = await driver.read([db.selectFrom('operation').select('id').where('id', '=', id)]);
  if (known === undefined) throw new LabelsmithError('NOT_FOUND', `There is no operation ${id}`);
  throw notToMove(id, way);
}

/** Classes lean on each other, so their operations are undone from the newest on, and redone the other way. */
async function moveCorpus(work: Work, id: number, way: 'undo' | 'redo'): Promise<CorpusEvent> {
  const entries = await historyIn(work, Number.MAX_SAFE_INTEGER);
  const standing = entries.find(({ undoneBy }) => undoneBy === 0);
  const open = entries.filter(({ event }) => event.undone && event.id > (standing?.event.id ?? 0));
  const lastUndone = Math.max(...open.map(({ undoneBy }) => undoneBy));
  const next = way === 'undo' ? standing : open.findLast(({ undoneBy }) => undoneBy === lastUndone);
  if (next?.event.id !== id) {
    throw new LabelsmithError('REFUSED', `The operation ${id} on the corpus is not the next one to ${way}`, {
      hint:
        next === undefined
          ? 'Newer operations stand on it.'
          : `The next one is ${next.event.id}, "${next.event.operation}".`,
    });
  }
  return way === 'undo' ? undoCorpus(work, next) : redoCorpus(work, next);
}
