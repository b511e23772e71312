/** Similar pairs, and the groups of images that follow from them. */
import { sql } from 'kysely';
import type { GroupStore } from '../store.ts';
import { hexOf, NO_BYTES } from './column.ts';
import type { Session } from './session.ts';
import { decoder, insert, type RowOf, update } from './table.ts';
import { images, similarPairs } from './tables.ts';

type GroupFactsRow = Pick<
  RowOf<typeof images.columns>,
  'id' | 'perceptual_hash' | 'width' | 'height' | 'captured_at_ms' | 'camera' | 'group_id'
> & { path: string | null; print: Uint8Array | null; slopes: Uint8Array | null };

const addPair = insert(similarPairs, { existing: 'ignore' });
const setGroup = update(images, { set: ['groupId'], where: ['id'] });
const pairOf = decoder(similarPairs);

export function groupStore(session: Session): GroupStore {
  const { db } = session;
  return {
    async putSimilarPairs(pairs) {
      if (pairs.length === 0) return;
      await session.write(null, async (work) => {
        for (const pair of pairs) work.add(addPair, pair);
      });
    },

    async *similarPairs() {
      const pages = session.pages<RowOf<typeof similarPairs.columns>>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('similar_pair')
          .selectAll()
          .where(sql<boolean>`(a, b) > (${last?.a ?? NO_BYTES}, ${last?.b ?? NO_BYTES})`);
        return (await session.driver.read([query.orderBy('a').orderBy('b').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) yield rows.map(pairOf);
    },

    async *groupFacts() {
      const pages = session.pages<GroupFactsRow>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('image')
          .select(['id', 'perceptual_hash', 'width', 'height', 'captured_at_ms', 'camera', 'group_id'])
          .select(({ selectFrom }) =>
            selectFrom('image_path')
              .select(({ fn }) => fn.min('image_path.path').as('first'))
              .whereRef('image_path.image_id', '=', 'image.id')
              .as('path'),
          )
          .select(({ selectFrom }) =>
            selectFrom('image_print').select('print').whereRef('image_print.image_id', '=', 'image.id').as('print'),
          )
          .select(({ selectFrom }) =>
            selectFrom('image_slopes').select('slopes').whereRef('image_slopes.image_id', '=', 'image.id').as('slopes'),
          )
          .where('id', '>', last?.id ?? NO_BYTES)
          .orderBy('id')
          .limit(session.pageSize);
        return (await session.driver.read([query]))[0];
      });
      for await (const rows of pages) {
        yield rows.map((row) => ({
          id: hexOf(row.id),
          perceptualHash: hexOf(row.perceptual_hash),
          width: row.width,
          height: row.height,
          capturedAtMs: row.captured_at_ms,
          camera: row.camera,
          groupId: hexOf(row.group_id),
          path: row.path ?? '',
          ...(row.print === null
            ? {}
            : { print: row.slopes === null ? row.print : Buffer.concat([row.print, row.slopes]) }),
        }));
      }
    },

    async putGroups(changes) {
      if (changes.size === 0) return;
      await session.write(null, async (work) => {
        for (const [id, groupId] of changes) work.add(setGroup, { id, groupId });
      });
    },
  };
}
