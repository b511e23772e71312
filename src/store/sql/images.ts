/** Images, their paths, groups, similar pairs and what is in quarantine. */
import { sql } from 'kysely';
import type { ImageId } from '../../core/ids.ts';
import type { ImagePath } from '../../core/image.ts';
import type { ImageFilter, KnownPath, QuarantineRow, SimilarPair, Store } from '../store.ts';
import type { Draft } from './changeset.ts';
import { idOf, imageKey, imageOf, imageRow, NO_BYTES, pathOf, pathRow } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { runKeyOf } from './dictionary.ts';
import { heirStatements, passOn } from './heirs.ts';
import type { ImageTable, PathTable, QuarantineTable } from './schema.ts';
import { FLAG_BITS } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

type ImageStore = Pick<
  Store,
  | 'lookupPaths'
  | 'commitIngest'
  | 'pathsOf'
  | 'markMissing'
  | 'movePaths'
  | 'image'
  | 'images'
  | 'countImages'
  | 'pathsOfImages'
  | 'sourceRoots'
  | 'putSimilarPairs'
  | 'similarPairs'
  | 'groupFacts'
  | 'putGroups'
  | 'quarantine'
  | 'putQuarantine'
  | 'liftQuarantine'
>;

type GroupFactsTable = Pick<
  ImageTable,
  'id' | 'perceptual_hash' | 'width' | 'height' | 'captured_at_ms' | 'camera' | 'group_id'
> & { path: string | null };

export function imageStore(session: Session): ImageStore {
  const { db } = session;
  const statements = imageStatements(session);
  const heirs = heirStatements(db);

  function imagesWhere({ flag, groupId, gone = false }: ImageFilter) {
    let query = db.selectFrom('image');
    if (flag !== undefined) {
      // `flags <> 0` lets the planner use the index of flagged images.
      query = query.where('flags', '<>', sql.lit(0)).where(sql<boolean>`(flags & ${FLAG_BITS[flag]}) <> 0`);
    }
    if (groupId !== undefined) {
      const group = imageKey(groupId);
      // A group is named after its first image; the index of groups lists the others alone.
      const first = db.selectFrom('image as first').select('first.id').where('first.id', '=', group);
      const others = db
        .selectFrom('image as other')
        .select('other.id')
        .where('other.group_id', '=', group)
        .whereRef('other.group_id', '<>', 'other.id');
      query = query.where('group_id', '=', group).where('id', 'in', first.unionAll(others));
    }
    if (!gone) {
      query = query.where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('gone_image').select('image_id').whereRef('gone_image.image_id', '=', 'image.id'))),
      );
    }
    return query;
  }

  function putPath(draft: Draft, path: ImagePath): void {
    draft.add(statements.putPath, pathRow(path, draft.sourceRootId(path.sourceRoot)));
    draft.add(statements.dropQuarantine, { path: path.path });
  }

  return {
    async lookupPaths(paths) {
      const known = new Map<string, KnownPath>();
      for (const piece of pieces(paths)) {
        const columns = ['path', 'byte_size', 'modified_at_ms'] as const;
        const [present, quarantined] = await session.driver.read([
          db
            .selectFrom('image_path')
            .select([...columns, 'image_id', 'missing'])
            .where('path', 'in', piece),
          db.selectFrom('quarantine').select(columns).where('path', 'in', piece),
        ]);
        const put = (row: Pick<PathTable, (typeof columns)[number]>, imageId: ImageId | null, missing: boolean) =>
          known.set(row.path, {
            path: row.path,
            byteSize: row.byte_size,
            modifiedAtMs: row.modified_at_ms,
            imageId,
            missing,
          });
        for (const row of present) put(row, idOf(row.image_id), row.missing !== 0);
        for (const row of quarantined) put(row, null, false);
      }
      return known;
    },

    async commitIngest(shard) {
      await session.write((draft) => {
        const runKey = runKeyOf(draft.dictionary, shard.runId);
        for (const path of shard.paths) draft.sourceRootId(path.sourceRoot);
        for (const image of shard.images) draft.add(statements.addImage, imageRow(image, runKey));
        for (const path of shard.paths) {
          draft.add(statements.putPath, pathRow(path, draft.sourceRootId(path.sourceRoot)));
        }
        for (const path of shard.paths) draft.add(statements.dropQuarantine, { path: path.path });
        for (const row of shard.quarantine) statements.quarantine(draft, row);
        // The bytes an image was known by are no longer at this path.
        for (const row of shard.quarantine) draft.add(statements.setMissing, { path: row.path, missing: 1 });
        passOn(draft, heirs, shard.heirs ?? new Map());
      });
    },

    async *pathsOf(sourceRoot) {
      const rootId = (await session.freshDictionary()).rootIds.get(sourceRoot);
      if (rootId === undefined) return;
      const pages = session.pages<PathTable>(session.pageSize, async (last) => {
        let query = db.selectFrom('image_path').selectAll().where('source_root_id', '=', rootId);
        if (last !== undefined) query = query.where('path', '>', last.path);
        return (await session.driver.read([query.orderBy('path').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) yield rows.map((row) => pathOf(row, sourceRoot));
    },

    async markMissing(paths, missing) {
      await session.write((draft) => {
        for (const path of paths) draft.add(statements.setMissing, { path, missing: Number(missing) });
      });
    },

    async movePaths(moves) {
      await session.write((draft) => {
        // All of the old names go first: one may be another's new name.
        for (const move of moves) draft.add(statements.dropPath, { path: move.from });
        for (const move of moves) putPath(draft, move.to);
      });
    },

    async image(id) {
      const [[row]] = await session.driver.read([db.selectFrom('image').selectAll().where('id', '=', imageKey(id))]);
      return row === undefined ? undefined : imageOf(row);
    },

    async *images(filter = {}) {
      let left = filter.limit ?? Number.POSITIVE_INFINITY;
      const pages = session.pages<ImageTable>(session.pageSize, async (last) => {
        const query = imagesWhere(filter)
          .selectAll()
          .where('id', '>', last?.id ?? NO_BYTES);
        return (await session.driver.read([query.orderBy('id').limit(session.pageSize)]))[0];
      });
      if (left <= 0) return;
      for await (const rows of pages) {
        yield rows.slice(0, left).map(imageOf);
        left -= rows.length;
        if (left <= 0) return;
      }
    },

    async countImages(filter = {}) {
      const query = imagesWhere(filter).select((eb) => eb.fn.countAll<number>().as('n'));
      const [row] = await session.driver.analyse(query);
      return Math.min(Number(row?.n ?? 0), filter.limit ?? Number.POSITIVE_INFINITY);
    },

    async pathsOfImages(ids) {
      const paths = new Map<ImageId, ImagePath[]>();
      for (const piece of pieces([...new Set(ids)].map(imageKey))) {
        const query = db
          .selectFrom('image_path')
          .selectAll()
          .where('image_id', 'in', piece)
          .orderBy('image_id')
          .orderBy('missing')
          .orderBy('path');
        const { rows, dictionary } = await session.read([query]);
        for (const row of rows[0]) {
          const path = pathOf(row, rootOf(dictionary, row.source_root_id));
          const known = paths.get(path.imageId);
          if (known === undefined) paths.set(path.imageId, [path]);
          else known.push(path);
        }
      }
      return paths;
    },

    sourceRoots: () => rootsInUse(session),

    async putSimilarPairs(pairs) {
      await session.write((draft) => {
        for (const { a, b, kind, distance } of pairs) {
          draft.add(statements.addPair, { a: imageKey(a), b: imageKey(b), kind, distance });
        }
      });
    },

    async *similarPairs() {
      type PairRow = { a: Uint8Array; b: Uint8Array; kind: string; distance: number };
      const pages = session.pages<PairRow>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('similar_pair')
          .selectAll()
          .where(sql<boolean>`(a, b) > (${last?.a ?? NO_BYTES}, ${last?.b ?? NO_BYTES})`);
        return (await session.driver.read([query.orderBy('a').orderBy('b').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) {
        yield rows.map((row) => ({
          a: idOf(row.a),
          b: idOf(row.b),
          kind: row.kind as SimilarPair['kind'],
          distance: row.distance,
        }));
      }
    },

    async *groupFacts() {
      const pages = session.pages<GroupFactsTable>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('image')
          .select(['id', 'perceptual_hash', 'width', 'height', 'captured_at_ms', 'camera', 'group_id'])
          .select(({ selectFrom }) =>
            selectFrom('image_path')
              .select(({ fn }) => fn.min('image_path.path').as('first'))
              .whereRef('image_path.image_id', '=', 'image.id')
              .as('path'),
          )
          .where('id', '>', last?.id ?? NO_BYTES)
          .orderBy('id')
          .limit(session.pageSize);
        return (await session.driver.read([query]))[0];
      });
      for await (const rows of pages) {
        yield rows.map((row) => ({
          id: idOf(row.id),
          perceptualHash: idOf(row.perceptual_hash),
          width: row.width,
          height: row.height,
          capturedAtMs: row.captured_at_ms,
          camera: row.camera,
          groupId: idOf(row.group_id),
          path: row.path ?? '',
        }));
      }
    },

    async putGroups(changes) {
      await session.write((draft) => {
        for (const [id, groupId] of changes) {
          draft.add(statements.setGroup, { id: imageKey(id), group_id: imageKey(groupId) });
        }
      });
    },

    async *quarantine() {
      const pages = session.pages<QuarantineTable>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('quarantine')
          .selectAll()
          .where('path', '>', last?.path ?? '');
        return (await session.driver.read([query.orderBy('path').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) {
        const { rootById } = await session.freshDictionary();
        yield rows.map((row) => ({
          path: row.path,
          sourceRoot: rootById.get(row.source_root_id) ?? '',
          reason: row.reason,
          message: row.message,
          byteSize: row.byte_size,
          modifiedAtMs: row.modified_at_ms,
          stage: row.stage,
        }));
      }
    },

    async putQuarantine(rows) {
      await session.write((draft) => {
        for (const row of rows) statements.quarantine(draft, row);
      });
    },

    async liftQuarantine(paths) {
      await session.write((draft) => {
        for (const path of paths) draft.add(statements.dropQuarantine, { path });
      });
    },
  };
}

/** Source roots that a path or a row of quarantine came in by, sorted; the dictionary knows all that ever were. */
export async function rootsInUse({ db, driver }: Pick<Session, 'db' | 'driver'>): Promise<string[]> {
  const query = db
    .selectFrom('source_root')
    .select('path')
    .where(({ exists, or, selectFrom }) =>
      or([
        exists(selectFrom('image_path').select('path').whereRef('source_root_id', '=', 'source_root.id')),
        exists(selectFrom('quarantine').select('path').whereRef('source_root_id', '=', 'source_root.id')),
      ]),
    );
  return (await driver.read([query]))[0].map(({ path }) => path).sort();
}

export function rootOf(dictionary: Dictionary, rootId: number): string {
  const root = dictionary.rootById.get(rootId);
  if (root === undefined) throw new Error(`Source root ${rootId} is not in the dictionary`);
  return root;
}

/** Writes of images and paths; detection quarantines too. */
export function imageStatements({ db }: Pick<Session, 'db'>) {
  const putQuarantine = template<QuarantineTable>((v) =>
    db
      .insertInto('quarantine')
      .values({
        path: v.path,
        source_root_id: v.source_root_id,
        reason: v.reason,
        message: v.message,
        byte_size: v.byte_size,
        modified_at_ms: v.modified_at_ms,
        stage: v.stage,
      })
      .onConflict((conflict) =>
        conflict.column('path').doUpdateSet((eb) => ({
          source_root_id: eb.ref('excluded.source_root_id'),
          reason: eb.ref('excluded.reason'),
          message: eb.ref('excluded.message'),
          byte_size: eb.ref('excluded.byte_size'),
          modified_at_ms: eb.ref('excluded.modified_at_ms'),
          stage: eb.ref('excluded.stage'),
        })),
      ),
  );
  return {
    quarantine(draft: Draft, row: QuarantineRow): void {
      const source_root_id = draft.sourceRootId(row.sourceRoot);
      draft.add(putQuarantine, {
        path: row.path,
        source_root_id,
        reason: row.reason,
        message: row.message,
        byte_size: row.byteSize,
        modified_at_ms: row.modifiedAtMs,
        stage: row.stage,
      });
    },
    addImage: template<ImageTable>((v) =>
      db
        .insertInto('image')
        .values({
          id: v.id,
          byte_size: v.byte_size,
          format: v.format,
          width: v.width,
          height: v.height,
          orientation: v.orientation,
          frames: v.frames,
          perceptual_hash: v.perceptual_hash,
          brightness: v.brightness,
          sharpness: v.sharpness,
          entropy: v.entropy,
          flags: v.flags,
          captured_at_ms: v.captured_at_ms,
          camera: v.camera,
          group_id: v.group_id,
          run_key: v.run_key,
          pixel_hash: v.pixel_hash,
        })
        .onConflict((conflict) => conflict.column('id').doNothing()),
    ),
    putPath: template<PathTable>((v) =>
      db
        .insertInto('image_path')
        .values({
          path: v.path,
          path_bytes: v.path_bytes,
          image_id: v.image_id,
          source_root_id: v.source_root_id,
          byte_size: v.byte_size,
          modified_at_ms: v.modified_at_ms,
          missing: v.missing,
        })
        .onConflict((conflict) =>
          conflict.column('path').doUpdateSet((eb) => ({
            path_bytes: eb.ref('excluded.path_bytes'),
            image_id: eb.ref('excluded.image_id'),
            source_root_id: eb.ref('excluded.source_root_id'),
            byte_size: eb.ref('excluded.byte_size'),
            modified_at_ms: eb.ref('excluded.modified_at_ms'),
            missing: eb.ref('excluded.missing'),
          })),
        ),
    ),
    dropPath: template<{ path: string }>((v) => db.deleteFrom('image_path').where('path', '=', v.path)),
    dropQuarantine: template<{ path: string }>((v) => db.deleteFrom('quarantine').where('path', '=', v.path)),
    setMissing: template<{ path: string; missing: number }>((v) =>
      db.updateTable('image_path').set({ missing: v.missing }).where('path', '=', v.path),
    ),
    setGroup: template<{ id: Uint8Array; group_id: Uint8Array }>((v) =>
      db.updateTable('image').set({ group_id: v.group_id }).where('id', '=', v.id),
    ),
    addPair: template<{ a: Uint8Array; b: Uint8Array; kind: string; distance: number }>((v) =>
      db
        .insertInto('similar_pair')
        .values({ a: v.a, b: v.b, kind: v.kind, distance: v.distance })
        .onConflict((conflict) => conflict.columns(['a', 'b']).doNothing()),
    ),
  };
}
