/** Which files of vectors exist. The files themselves are the vector store's. */
import type { ItemKind } from '../../core/labels.ts';
import type { VectorIndex, VectorShard } from '../store.ts';
import { bytesOfId, hexOf } from './column.ts';
import type { Dictionary } from './dictionary.ts';
import { runIdOf, runKeyOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { vectorShards } from './stage-tables.ts';
import { decoder, insert, type RowOf, remove } from './table.ts';
import type { Work } from './work.ts';

const put = insert(vectorShards, { existing: 'replace' });
const drop = remove(vectorShards, ['space', 'items', 'shard']);
const fieldsOf = decoder(vectorShards);

const DIGITS = { images: 64, regions: 32 } as const satisfies Record<ItemKind, number>;

export function vectorShardStore(session: Session): VectorIndex {
  return {
    async vectorSpaces(items) {
      const query = session.db.selectFrom('vector_shard').select('space').where('items', '=', items);
      const [rows] = await session.driver.read([query.distinct().orderBy('space')]);
      return rows.map(({ space }) => space);
    },

    vectorShards: (space, items) => shardsOf(session, space, items),

    async putVectorShard(shard) {
      await session.write(null, async (work) => putShard(work, shard));
    },

    async replaceVectorShards(gone, shards) {
      await session.write(null, async (work) => {
        for (const shard of gone) work.add(drop, shard);
        for (const shard of shards) putShard(work, shard);
      });
    },

    async clearVectorShards(space, items, only) {
      const shards = (await shardsOf(session, space, items)).filter(({ shard }) => only?.has(shard) ?? true);
      if (shards.length === 0) return [];
      await session.write(null, async (work) => {
        for (const shard of shards) work.add(drop, shard);
      });
      return shards;
    },
  };
}

async function shardsOf(session: Session, space: string, items: ItemKind): Promise<VectorShard[]> {
  const { rows, dictionary } = await session.read([
    session.db
      .selectFrom('vector_shard')
      .selectAll()
      .where('space', '=', space)
      .where('items', '=', items)
      .orderBy('first_id')
      .orderBy('shard'),
  ]);
  return rows[0].map((row) => shardOf(row, dictionary));
}

function putShard(work: Work, { firstId, lastId, runId, ...shard }: VectorShard): void {
  work.add(put, {
    ...shard,
    firstId: bytesOfId(firstId, DIGITS[shard.items]),
    lastId: bytesOfId(lastId, DIGITS[shard.items]),
    runKey: runId === null ? null : runKeyOf(work.dictionary, runId),
  });
}

function shardOf(row: RowOf<typeof vectorShards.columns>, dictionary: Dictionary): VectorShard {
  const { firstId, lastId, runKey, ...shard } = fieldsOf(row);
  return { ...shard, firstId: hexOf(firstId), lastId: hexOf(lastId), runId: runIdOf(dictionary, runKey) };
}
