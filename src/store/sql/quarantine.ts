/** Paths that could not be used. */
import type { QuarantineRow, QuarantineStore } from '../store.ts';
import { sourceRootOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { decoder, insert, type RowOf, remove } from './table.ts';
import { quarantine } from './tables.ts';
import type { Work } from './work.ts';

const put = insert(quarantine, { existing: 'replace' });
export const dropQuarantine = remove(quarantine, ['path']);
const fieldsOf = decoder(quarantine);

/** The rows' source roots must be known to the transaction. */
export function putInQuarantine(work: Work, rows: readonly QuarantineRow[]): void {
  for (const { sourceRoot, ...row } of rows) work.add(put, { ...row, sourceRootId: work.sourceRootId(sourceRoot) });
}

export const rootsOf = (rows: readonly { readonly sourceRoot: string }[]) => rows.map(({ sourceRoot }) => sourceRoot);

export function quarantineStore(session: Session): QuarantineStore {
  const { db } = session;
  return {
    async *quarantine() {
      const pages = session.pages<RowOf<typeof quarantine.columns>>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('quarantine')
          .selectAll()
          .where('path', '>', last?.path ?? '');
        return (await session.driver.read([query.orderBy('path').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) {
        const dictionary = await session.freshDictionary();
        yield rows.map((row) => {
          const { sourceRootId, ...fields } = fieldsOf(row);
          return { ...fields, sourceRoot: sourceRootOf(dictionary, sourceRootId) };
        });
      }
    },

    async putQuarantine(rows) {
      if (rows.length === 0) return;
      await session.write(null, async (work) => {
        await work.know({ roots: rootsOf(rows) });
        putInQuarantine(work, rows);
      });
    },

    async liftQuarantine(paths) {
      if (paths.length === 0) return;
      await session.write(null, async (work) => {
        for (const path of paths) work.add(dropQuarantine, { path });
      });
    },
  };
}
