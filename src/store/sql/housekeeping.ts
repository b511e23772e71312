/** Settings, the numbers of `status`, checks. */
import { type RawBuilder, sql } from 'kysely';
import { QUALITY_FLAGS, type QualityFlag } from '../../core/image.ts';
import type { Origin } from '../../core/labels.ts';
import type { HousekeepingStore, StoreOverview, StoreSummary } from '../store.ts';
import { flagsOf, ORIGIN_CODES, originOf } from './codes.ts';
import { NO_BYTES, text } from './column.ts';
import type { SqlDriver } from './driver.ts';
import { countOf, rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { insert } from './table.ts';
import { NONE_CLASS_ID, settings } from './tables.ts';

const SETTING = {
  put: insert(settings, { existing: 'replace' }),
  add: insert(settings, { existing: 'ignore' }),
  swap: statement('update setting set value = :value where key = :key and value = :expected', {
    key: text,
    value: text,
    expected: text,
  }),
  remove: statement('delete from setting where key = :key and value = :expected', { key: text, expected: text }),
};

/** @param close what ends with the store */
export function housekeepingStore(session: Session, close: () => Promise<void>): HousekeepingStore {
  const { db, driver } = session;
  /** Labels whose region is gone: no foreign key can say it, since labels of images have none. */
  const orphans = db
    .selectFrom('label')
    .leftJoin('region', (join) =>
      join.onRef('region.image_id', '=', 'label.image_id').onRef('region.id', '=', 'label.region_id'),
    )
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('label.region_id', '<>', NO_BYTES)
    .where('region.id', 'is', null);

  return {
    async getSetting(key) {
      const [[row]] = await driver.read([db.selectFrom('setting').select('value').where('key', '=', key)]);
      return row?.value;
    },

    async putSetting(key, value) {
      await session.write(null, async (work) => work.add(SETTING.put, { key, value }));
    },

    swapSetting: (key, expected, value) =>
      session.write(null, async (work) => {
        if (expected !== undefined) {
          if (value === undefined) work.add(SETTING.remove, { key, expected });
          else work.add(SETTING.swap, { key, value, expected });
        } else if (value !== undefined) work.add(SETTING.add, { key, value });
        const [changed = 0] = await work.changed();
        return changed > 0;
      }),

    summary: () => summary(session),

    async overview() {
      const { goneImages: _, ...rest } = await overview(session);
      return rest;
    },

    async check() {
      const problems = await driver.check();
      const lost = countOf(await driver.analyse(orphans));
      return lost === 0 ? problems : [...problems, `${lost} labels of regions that are not there`];
    },

    close,
  };
}

async function overview({ db, driver }: Analysed): Promise<StoreOverview & { readonly goneImages: number }> {
  const count = counting(driver, db);
  const goneImages = await count(sql`select count(*) as n from gone_image`);
  const images = (await count(sql`select count(*) as n from image`)) - goneImages;
  const quarantined = await driver.analyse(
    db
      .selectFrom('quarantine')
      .groupBy('reason')
      .select((eb) => ['reason', eb.fn.countAll<number>().as('n')])
      .orderBy('reason'),
  );
  const regions = await count(sql`select count(*) as n from region where deleted = 0`);
  const regionsOfGone = await count(
    sql`select count(*) as n from gone_image join region on region.image_id = gone_image.image_id
      where region.deleted = 0`,
  );
  return {
    images,
    goneImages,
    quarantined: Object.fromEntries(quarantined.map((row) => [row.reason, Number(row.n)])),
    regions: regions - regionsOfGone,
    labels: await labelsByOrigin({ db, driver }),
    flags: await imagesByFlag({ db, driver }),
  };
}

async function summary(session: Session): Promise<StoreSummary> {
  const { db, driver } = session;
  const count = counting(driver, db);
  const paths = await count(sql`select count(*) as n from image_path`);
  const imagesWithPath = await count(sql`select count(distinct image_id) as n from image_path`);
  const none = sql.lit(NONE_CLASS_ID);
  const allClasses = await count(sql`select count(*) as n from class where id = root_id and id <> ${none}`);
  // One look into the index of classes for each.
  const labelledClasses = await count(sql`select count(distinct root_id) as n from class
    where id <> ${none} and exists (select 1 from label where label.class_id = class.id and label.present = 1)`);
  return {
    ...(await overview(session)),
    paths,
    missingPaths: await count(sql`select count(*) as n from image_path where missing = 1`),
    groups: await count(
      sql`select count(distinct group_id) as n from image where id not in (select image_id from gone_image)`,
    ),
    duplicatePaths: paths - imagesWithPath,
    similarPairs: await count(sql`select count(*) as n from similar_pair`),
    classes: labelledClasses,
    emptyClasses: allClasses - labelledClasses,
    schemaVersion: driver.schemaVersion,
  };
}

function counting(driver: SqlDriver, db: Session['db']) {
  return async (text: RawBuilder<{ n: number }>) => countOf(await driver.analyse(rawQuery(db, text)));
}

type Analysed = Pick<Session, 'db' | 'driver'>;

/** Counted whole by the index, less those of the few images that are gone. */
async function labelsByOrigin({ db, driver }: Analysed): Promise<Partial<Record<Origin, number>>> {
  const all = db
    .selectFrom('label')
    .groupBy('origin')
    .select((eb) => ['origin', eb.fn.countAll<number>().as('n')])
    .orderBy('origin');
  const ofGone = db
    .selectFrom('gone_image')
    .innerJoin('label', 'label.image_id', 'gone_image.image_id')
    .groupBy('label.origin')
    .select((eb) => ['label.origin', eb.fn.countAll<number>().as('n')]);
  // That a file had an image without a box is no label.
  const nothing = sql<{ n: number }>`select count(*) as n from label
    where present = 1 and class_id = ${sql.lit(NONE_CLASS_ID)} and origin = ${sql.lit(ORIGIN_CODES.imported)}`;
  const counts = new Map<number, number>([
    [ORIGIN_CODES.imported, -countOf(await driver.analyse(rawQuery(db, nothing)))],
  ]);
  for (const { origin, n } of await driver.analyse(all)) counts.set(origin, (counts.get(origin) ?? 0) + Number(n));
  for (const { origin, n } of await driver.analyse(ofGone)) counts.set(origin, (counts.get(origin) ?? 0) - Number(n));
  const there = [...counts].filter(([, n]) => n > 0);
  return Object.fromEntries(there.map(([origin, n]) => [originOf(origin), n]));
}

async function imagesByFlag({ db, driver }: Analysed): Promise<Partial<Record<QualityFlag, number>>> {
  const flagged = await driver.analyse(
    db
      .selectFrom('image')
      .where('flags', '<>', sql.lit(0))
      .where('id', 'not in', db.selectFrom('gone_image').select('image_id'))
      .groupBy('flags')
      .select((eb) => ['flags', eb.fn.countAll<number>().as('n')]),
  );
  const counts: Partial<Record<QualityFlag, number>> = {};
  for (const flag of QUALITY_FLAGS) {
    const n = flagged.reduce((sum, row) => sum + (flagsOf(row.flags).includes(flag) ? Number(row.n) : 0), 0);
    if (n > 0) counts[flag] = n;
  }
  return counts;
}
