/** What exports showed, as the differences of each from the one before in its series. */
import { sql } from 'kysely';
import type { ImageId } from '../../core/ids.ts';
import { EXPORTS_KEPT, type ExportPart, type ExportRecord, type ExportStore } from '../export-store.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey, integer, NO_BYTES, text } from './column.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { exportStates, exportsMade } from './stage-tables.ts';
import { statement } from './statement.ts';
import { insert, update } from './table.ts';
import type { Work } from './work.ts';

const putState = insert(exportStates, { existing: 'replace' });
const setDigest = update(exportsMade, { set: ['digest'], where: ['id'] });
const OF_SERIES = { series: text, id: integer };
/** Exports of the series that never were finished, and this one where it is not to be. */
const dropUnfinishedStates = statement(
  `delete from export_state where export_id in (
    select id from export where series = :series and digest is null and id <= :id)`,
  OF_SERIES,
);
const dropUnfinished = statement(
  'delete from export where series = :series and digest is null and id <= :id',
  OF_SERIES,
);
/** What was shown before the oldest export that is kept, and is another by then. */
const dropOvertaken = statement(
  `delete from export_state where export_id in (select id from export where series = :series and id < :id)
    and exists (
      select 1 from export_state as later join export on export.id = later.export_id
      where later.image_id = export_state.image_id and export.series = :series
        and later.export_id > export_state.export_id and later.export_id <= :id)`,
  OF_SERIES,
);
const dropOld = statement(
  `delete from export where series = :series and id < :id
    and not exists (select 1 from export_state where export_state.export_id = export.id)`,
  OF_SERIES,
);

export function exportStore(session: Session): ExportStore {
  const { db, driver } = session;
  return {
    beginExport: ({ series, format, task, atMs }) =>
      session.write(null, async (work) => {
        const begun = sql<{ id: number }>`
          insert into export (series, format, task, at_ms) values (${series}, ${format}, ${task}, ${atMs}) returning id`;
        const [[{ id }]] = await work.insert(rawQuery(db, begun));
        return id;
      }),

    putExportStates: (part, states) => session.write(null, (work) => putStates(work, part, states)),

    finishExport: (exportId, digest) => session.write(null, (work) => finish(work, exportId, digest)),

    async finishedExports(format) {
      const [rows] = await driver.read([
        db.selectFrom('export').selectAll().where('format', '=', format).orderBy('id', 'desc'),
      ]);
      const ofSeries = new Map<string, number>();
      return rows.flatMap(({ id, series, task, at_ms: atMs, digest }): ExportRecord[] => {
        if (digest === null) return [];
        const newer = ofSeries.get(series) ?? 0;
        ofSeries.set(series, newer + 1);
        return newer < EXPORTS_KEPT ? [{ id: Number(id), series, format, task, atMs: Number(atMs), digest }] : [];
      });
    },

    async exportStates(exportId, ids) {
      const states = new Map<ImageId, string>();
      for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
        const [rows] = await driver.read([statesOf(db, exportId).where('export_state.image_id', 'in', chunk)]);
        for (const { image_id, state } of rows) {
          if (state === null) states.delete(hexOf(image_id));
          else states.set(hexOf(image_id), state);
        }
      }
      return states;
    },
  };
}

/** What the export and the finished ones of its series before it said, of each image the last word last. */
function statesOf(db: Session['db'], exportId: number) {
  return db
    .selectFrom('export_state')
    .innerJoin('export', 'export.id', 'export_state.export_id')
    .select(['export_state.image_id', 'export_state.state'])
    .where('export.id', '<=', exportId)
    .where((eb) => eb.or([eb('export.digest', 'is not', null), eb('export.id', '=', exportId)]))
    .where((eb) =>
      eb('export.series', '=', eb.selectFrom('export as this').select('this.series').where('this.id', '=', exportId)),
    )
    .orderBy('export_state.image_id')
    .orderBy('export_state.export_id');
}

async function putStates(
  work: Work,
  { exportId, after, upTo }: ExportPart,
  states: ReadonlyMap<ImageId, string>,
): Promise<void> {
  let query = statesOf(work.db, exportId).where(
    'export_state.image_id',
    '>',
    after === null ? NO_BYTES : imageKey(after),
  );
  if (upTo !== null) query = query.where('export_state.image_id', '<=', imageKey(upTo));
  const [[own], rows] = await work.read([work.db.selectFrom('export').select('id').where('id', '=', exportId), query]);
  // A later one of its series was finished meanwhile.
  if (own === undefined) return;
  const before = new Map<ImageId, string | null>(rows.map(({ image_id, state }) => [hexOf(image_id), state]));
  for (const [imageId, state] of states)
    if (before.get(imageId) !== state) work.add(putState, { imageId, exportId, state });
  for (const [imageId, state] of before)
    if (state !== null && !states.has(imageId)) work.add(putState, { imageId, exportId, state: null });
}

async function finish(work: Work, id: number, digest: string): Promise<void> {
  const { db } = work;
  const ofThis = db.selectFrom('export').select('series').where('id', '=', id);
  const [[own], all] = await work.read([
    ofThis,
    db
      .selectFrom('export')
      .select(['id', 'digest'])
      .where((eb) => eb('series', '=', ofThis))
      .orderBy('id', 'desc'),
  ]);
  if (own === undefined) return;
  const { series } = own;
  const isOvertaken = all.some((other) => Number(other.id) > id);
  if (!isOvertaken) work.add(setDigest, { id, digest });
  work.add(dropUnfinishedStates, { series, id });
  work.add(dropUnfinished, { series, id });
  const finished = all.filter((other) => other.digest !== null || Number(other.id) === id);
  const oldest = finished[EXPORTS_KEPT - 1];
  if (isOvertaken || oldest === undefined) return;
  work.add(dropOvertaken, { series, id: Number(oldest.id) });
  work.add(dropOld, { series, id: Number(oldest.id) });
}
