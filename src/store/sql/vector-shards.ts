/** Which files of vectors exist. The files themselves are the vector store's. */
import type { ItemKind } from '../../core/labels.ts';
import type { Store, VectorShard } from '../store.ts';
import type { Draft } from './changeset.ts';
import { bytesOfId, idOf } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { runKeyOf } from './dictionary.ts';
import type { VectorShardTable } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

export function vectorShardStore(
  session: Session,
): Pick<Store, 'putVectorShard' | 'vectorShards' | 'clearVectorShards' | 'replaceVectorShards'> {
  const { db } = session;
  const put = template<VectorShardTable>((v) =>
    db
      .insertInto('vector_shard')
      .values({
        space: v.space,
        items: v.items,
        shard: v.shard,
        file: v.file,
        sha256: v.sha256,
        count: v.count,
        first_id: v.first_id,
        last_id: v.last_id,
        run_key: v.run_key,
      })
      .onConflict((conflict) =>
        conflict.columns(['space', 'items', 'shard']).doUpdateSet((eb) => ({
          file: eb.ref('excluded.file'),
          sha256: eb.ref('excluded.sha256'),
          count: eb.ref('excluded.count'),
          first_id: eb.ref('excluded.first_id'),
          last_id: eb.ref('excluded.last_id'),
          run_key: eb.ref('excluded.run_key'),
        })),
      ),
  );
  const drop = template<Pick<VectorShardTable, 'space' | 'items' | 'shard'>>((v) =>
    db
      .deleteFrom('vector_shard')
      .where('space', '=', v.space)
      .where('items', '=', v.items)
      .where('shard', '=', v.shard),
  );
  const digits = (items: ItemKind) => (items === 'images' ? 64 : 32);

  async function vectorShards(space: string, items: ItemKind): Promise<VectorShard[]> {
    const { rows, dictionary } = await session.read([
      db
        .selectFrom('vector_shard')
        .selectAll()
        .where('space', '=', space)
        .where('items', '=', items)
        .orderBy('first_id')
        .orderBy('shard'),
    ]);
    return rows[0].map((row) => shardOf(row, dictionary));
  }

  const putShard = (draft: Draft, shard: VectorShard) => {
    draft.add(put, {
      space: shard.space,
      items: shard.items,
      shard: shard.shard,
      file: shard.file,
      sha256: bytesOfId(shard.sha256, 64),
      count: shard.count,
      first_id: bytesOfId(shard.firstId, digits(shard.items)),
      last_id: bytesOfId(shard.lastId, digits(shard.items)),
      run_key: shard.runId === null ? null : runKeyOf(draft.dictionary, shard.runId),
    });
  };

  return {
    vectorShards,
    async putVectorShard(shard) {
      await session.write((draft) => putShard(draft, shard));
    },
    async replaceVectorShards(gone, shards) {
      await session.write((draft) => {
        for (const { space, items, shard } of gone) draft.add(drop, { space, items, shard });
        for (const shard of shards) putShard(draft, shard);
      });
    },
    async clearVectorShards(space, items, only) {
      const shards = (await vectorShards(space, items)).filter(({ shard }) => only?.has(shard) ?? true);
      await session.write((draft) => {
        for (const { shard } of shards) draft.add(drop, { space, items, shard });
      });
      return shards;
    },
  };
}

function shardOf(row: VectorShardTable, dictionary: Dictionary): VectorShard {
  return {
    space: row.space,
    items: row.items as ItemKind,
    shard: row.shard,
    file: row.file,
    sha256: idOf(row.sha256),
    count: row.count,
    firstId: idOf(row.first_id),
    lastId: idOf(row.last_id),
    runId: row.run_key === null ? null : (dictionary.runById.get(row.run_key) ?? null),
  };
}
