/** Splits as imports brought them, by image. A split that an export draws by itself is not kept. */
import type { ImageId } from '../../core/ids.ts';
import type { Store } from '../store.ts';
import { idOf, imageKey } from './codec.ts';
import { runKeyOf } from './dictionary.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

export function splitStore(session: Session): Pick<Store, 'putSplits' | 'splitsOf' | 'splitCounts'> {
  const { db, driver } = session;
  const put = template<Schema['image_split']>((v) =>
    db
      .insertInto('image_split')
      .values({ image_id: v.image_id, split: v.split, run_key: v.run_key })
      .onConflict((conflict) =>
        conflict
          .column('image_id')
          .doUpdateSet((eb) => ({ split: eb.ref('excluded.split'), run_key: eb.ref('excluded.run_key') })),
      ),
  );
  const drop = template<{ image_id: Uint8Array }>((v) =>
    db.deleteFrom('image_split').where('image_id', '=', v.image_id),
  );
  return {
    async putSplits(runId, splits) {
      await session.write((draft) => {
        const run_key = runKeyOf(draft.dictionary, runId);
        for (const [id, split] of splits) {
          const image_id = imageKey(id);
          if (split === null) draft.add(drop, { image_id });
          else draft.add(put, { image_id, split, run_key });
        }
      });
    },

    async splitsOf(ids) {
      const splits = new Map<ImageId, string>();
      for (const piece of pieces([...new Set(ids)].map(imageKey))) {
        const [rows] = await driver.read([
          db.selectFrom('image_split').select(['image_id', 'split']).where('image_id', 'in', piece),
        ]);
        for (const row of rows) splits.set(idOf(row.image_id), row.split);
      }
      return splits;
    },

    async splitCounts() {
      const rows = await driver.analyse(
        db
          .selectFrom('image_split')
          .leftJoin('gone_image', 'gone_image.image_id', 'image_split.image_id')
          .where('gone_image.image_id', 'is', null)
          .groupBy('split')
          .select((eb) => ['split', eb.fn.countAll<number>().as('n')])
          .orderBy('split'),
      );
      return new Map(rows.map((row) => [row.split, Number(row.n)]));
    },
  };
}
