/** Splits as imports brought them, by image. A split that an export draws by itself is not kept. */
import type { ImageId } from '../../core/ids.ts';
import type { SplitStore } from '../store.ts';
import { chunks } from './chunks.ts';
import { hexOf, imageKey } from './column.ts';
import { runKeyOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { insert, remove } from './table.ts';
import { imageSplits } from './tables.ts';

const put = insert(imageSplits, { existing: 'replace' });
const drop = remove(imageSplits, ['imageId']);

export function splitStore(session: Session): SplitStore {
  const { db, driver } = session;
  return {
    async putSplits(runId, splits) {
      if (splits.size === 0) return;
      await session.write('facts', async (work) => {
        const runKey = runKeyOf(work.dictionary, runId);
        for (const [imageId, split] of splits) {
          if (split === null) work.add(drop, { imageId });
          else work.add(put, { imageId, split, runKey });
        }
        work.touch(splits.keys());
      });
    },

    async splitsOf(ids) {
      const splits = new Map<ImageId, string>();
      for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
        const [rows] = await driver.read([
          db.selectFrom('image_split').select(['image_id', 'split']).where('image_id', 'in', chunk),
        ]);
        for (const row of rows) splits.set(hexOf(row.image_id), row.split);
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
