/** Settings, the numbers of `status`, checks. */
import { sql } from 'kysely';
import { QUALITY_FLAGS } from '../../core/image.ts';
import type { Origin } from '../../core/labels.ts';
import type { Store } from '../store.ts';
import { flagsOf } from './codec.ts';
import type { Query } from './driver.ts';
import { NONE_CLASS_ID, originOf } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

export function housekeepingStore(
  session: Session,
): Pick<Store, 'getSetting' | 'putSetting' | 'summary' | 'check' | 'close'> {
  const { db, driver } = session;
  const putSetting = template<{ key: string; value: string }>((v) =>
    db
      .insertInto('setting')
      .values({ key: v.key, value: v.value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet((eb) => ({ value: eb.ref('excluded.value') }))),
  );
  /** Labels whose region is gone: no foreign key can say it, since labels of images have none. */
  const orphans = db
    .selectFrom('label')
    .leftJoin('region', (join) =>
      join.onRef('region.image_id', '=', 'label.image_id').onRef('region.id', '=', 'label.region_id'),
    )
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('label.region_id', '<>', new Uint8Array(0))
    .where('region.id', 'is', null);

  return {
    async getSetting(key) {
      const [[row]] = await driver.read([db.selectFrom('setting').select('value').where('key', '=', key)]);
      return row?.value;
    },

    async putSetting(key, value) {
      await session.write((draft) => {
        draft.add(putSetting, { key, value });
      });
    },

    async summary() {
      const one = async (query: Query<{ n: number | null }>) => Number((await driver.analyse(query))[0]?.n ?? 0);
      const raw = (text: ReturnType<typeof sql<{ n: number }>>): Query<{ n: number }> => ({
        compile: () => text.compile(db),
      });
      const goneImages = await one(raw(sql`select count(*) as n from gone_image`));
      const images = (await one(raw(sql`select count(*) as n from image`))) - goneImages;
      const paths = await one(raw(sql`select count(*) as n from image_path`));
      const imagesWithPath = await one(raw(sql`select count(distinct image_id) as n from image_path`));
      const quarantined = await driver.analyse(
        db
          .selectFrom('quarantine')
          .groupBy('reason')
          .select((eb) => ['reason', eb.fn.countAll<number>().as('n')])
          .orderBy('reason'),
      );
      // Counted whole by the index, less those of the few images that are gone.
      const labels = new Map<number, number>();
      const all = db.selectFrom('label').select((eb) => ['origin', eb.fn.countAll<number>().as('n')]);
      const ofGone = db
        .selectFrom('gone_image')
        .innerJoin('label', 'label.image_id', 'gone_image.image_id')
        .select((eb) => ['label.origin', eb.fn.countAll<number>().as('n')]);
      for (const { origin, n } of await driver.analyse(all.groupBy('origin').orderBy('origin'))) {
        labels.set(origin, Number(n));
      }
      for (const { origin, n } of await driver.analyse(ofGone.groupBy('label.origin'))) {
        labels.set(origin, (labels.get(origin) ?? 0) - Number(n));
      }
      const flagged = await driver.analyse(
        db
          .selectFrom('image')
          .where('flags', '<>', sql.lit(0))
          .where('id', 'not in', db.selectFrom('gone_image').select('image_id'))
          .groupBy('flags')
          .select((eb) => ['flags', eb.fn.countAll<number>().as('n')]),
      );
      const flags: Partial<Record<(typeof QUALITY_FLAGS)[number], number>> = {};
      for (const flag of QUALITY_FLAGS) {
        const n = flagged.reduce((sum, row) => sum + (flagsOf(row.flags).includes(flag) ? Number(row.n) : 0), 0);
        if (n > 0) flags[flag] = n;
      }
      return {
        images,
        goneImages,
        paths,
        missingPaths: await one(raw(sql`select count(*) as n from image_path where missing = 1`)),
        groups: await one(
          raw(sql`select count(distinct group_id) as n from image
            where id not in (select image_id from gone_image)`),
        ),
        duplicatePaths: paths - imagesWithPath,
        similarPairs: await one(raw(sql`select count(*) as n from similar_pair`)),
        quarantined: Object.fromEntries(quarantined.map((row) => [row.reason, Number(row.n)])),
        regions:
          (await one(raw(sql`select count(*) as n from region where deleted = 0`))) -
          (await one(
            raw(sql`select count(*) as n from gone_image join region on region.image_id = gone_image.image_id
              where region.deleted = 0`),
          )),
        labels: Object.fromEntries(
          [...labels].filter(([, n]) => n > 0).map(([origin, n]): [Origin, number] => [originOf(origin), n]),
        ),
        classes: await one(
          raw(sql`select count(*) as n from class where id = root_id and id <> ${sql.lit(NONE_CLASS_ID)}`),
        ),
        flags,
        schemaVersion: driver.schemaVersion,
      };
    },

    async check() {
      const problems = await driver.check();
      const lost = Number((await driver.analyse(orphans))[0]?.n ?? 0);
      return lost === 0 ? problems : [...problems, `${lost} labels of regions that are not there`];
    },

    close: () => driver.close(),
  };
}
