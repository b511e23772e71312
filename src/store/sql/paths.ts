/** Where images are: paths, looked up, taken over, missing, moved. */
import type { ImageId } from '../../core/ids.ts';
import type { ImagePath } from '../../core/image.ts';
import { pushTo } from '../../core/lists.ts';
import type { ImageStore, KnownPath } from '../store.ts';
import { chunks } from './chunks.ts';
import { imageKey } from './column.ts';
import { type Dictionary, sourceRootOf } from './dictionary.ts';
import { dropQuarantine } from './quarantine.ts';
import type { Session } from './session.ts';
import { decoder, insert, type RowOf, remove, update } from './table.ts';
import { imagePaths } from './tables.ts';
import type { Work } from './work.ts';

type PathRow = RowOf<typeof imagePaths.columns>;

const STATEMENTS = {
  put: insert(imagePaths, { existing: 'replace' }),
  drop: remove(imagePaths, ['path']),
  setMissing: update(imagePaths, { set: ['missing'], where: ['path'] }),
};
const fieldsOf = decoder(imagePaths);

export function pathOf(row: PathRow, dictionary: Dictionary): ImagePath {
  const { sourceRootId, ...path } = fieldsOf(row);
  return { ...path, sourceRoot: sourceRootOf(dictionary, sourceRootId) };
}

/** A path that is there leaves quarantine. Its source root must be known to the transaction. */
export function putPaths(work: Work, paths: readonly ImagePath[]): void {
  for (const { sourceRoot, ...path } of paths) {
    work.add(STATEMENTS.put, { ...path, sourceRootId: work.sourceRootId(sourceRoot) });
  }
  for (const { path } of paths) work.add(dropQuarantine, { path });
}

export function setMissing(work: Work, paths: Iterable<string>, missing: boolean): void {
  for (const path of paths) work.add(STATEMENTS.setMissing, { path, missing });
}

/** Source roots that a path or a row of quarantine came in by, sorted; the dictionary knows all that ever were. */
export async function rootsInUse({ db, driver }: Session): Promise<string[]> {
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

type PathStore = Pick<
  ImageStore,
  'lookupPaths' | 'pathsOf' | 'markMissing' | 'movePaths' | 'pathsOfImages' | 'sourceRoots'
>;

export function pathStore(session: Session): PathStore {
  const { db } = session;
  return {
    async lookupPaths(paths) {
      const known = new Map<string, KnownPath>();
      for (const chunk of chunks(paths)) {
        const columns = ['path', 'byte_size', 'modified_at_ms'] as const;
        const [present, quarantined] = await session.driver.read([
          db.selectFrom('image_path').selectAll().where('path', 'in', chunk),
          db.selectFrom('quarantine').select(columns).where('path', 'in', chunk),
        ]);
        for (const { path, byteSize, modifiedAtMs, imageId, missing } of present.map(fieldsOf)) {
          known.set(path, { path, byteSize, modifiedAtMs, imageId, missing });
        }
        for (const { path, byte_size: byteSize, modified_at_ms: modifiedAtMs } of quarantined) {
          known.set(path, { path, byteSize, modifiedAtMs, imageId: null, missing: false });
        }
      }
      return known;
    },

    async *pathsOf(sourceRoot) {
      const dictionary = await session.freshDictionary();
      const rootId = dictionary.rootIds.get(sourceRoot);
      if (rootId === undefined) return;
      const pages = session.pages<PathRow>(session.pageSize, async (last) => {
        let query = db.selectFrom('image_path').selectAll().where('source_root_id', '=', rootId);
        if (last !== undefined) query = query.where('path', '>', last.path);
        return (await session.driver.read([query.orderBy('path').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) yield rows.map((row) => pathOf(row, dictionary));
    },

    async markMissing(paths, missing) {
      if (paths.length === 0) return;
      await session.write('images', async (work) => setMissing(work, paths, missing));
    },

    async movePaths(moves) {
      if (moves.length === 0) return;
      await session.write('images', async (work) => {
        await work.know({ roots: moves.map(({ to }) => to.sourceRoot) });
        // All of the old names go first: one may be another's new name.
        for (const { from } of moves) work.add(STATEMENTS.drop, { path: from });
        putPaths(
          work,
          moves.map(({ to }) => to),
        );
      });
    },

    async pathsOfImages(ids) {
      const paths = new Map<ImageId, ImagePath[]>();
      for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
        const query = db
          .selectFrom('image_path')
          .selectAll()
          .where('image_id', 'in', chunk)
          .orderBy('image_id')
          .orderBy('missing')
          .orderBy('path');
        const { rows, dictionary } = await session.read([query]);
        for (const row of rows[0]) {
          const path = pathOf(row, dictionary);
          pushTo(paths, path.imageId, path);
        }
      }
      return paths;
    },

    sourceRoots: () => rootsInUse(session),
  };
}
