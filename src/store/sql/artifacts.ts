/** What stages left for tasks, and reference images of classes. */
import type { ArtifactStore } from '../artifact-store.ts';
import type { ReferenceStore } from '../reference-store.ts';
import { integer, text } from './column.ts';
import { findTask, taskOf } from './dictionary.ts';
import type { Session } from './session.ts';
import { artifacts, referenceImages } from './stage-tables.ts';
import { statement } from './statement.ts';
import { decoder, insert } from './table.ts';

const putArtifact = insert(artifacts, { existing: 'replace' });
const putReference = insert(referenceImages, { existing: 'replace' });
const dropReferences = statement('delete from reference_image where task_id = :taskId and space = :space', {
  taskId: integer,
  space: text,
});
const referenceOf = decoder(referenceImages);

export function artifactStore(session: Session): ArtifactStore & ReferenceStore {
  const { db, driver } = session;
  return {
    async artifact(kind, task) {
      const taskId = findTask(await session.freshDictionary(), task)?.id;
      if (taskId === undefined) return undefined;
      const [[row]] = await driver.read([
        db.selectFrom('artifact').select(['version', 'data']).where('kind', '=', kind).where('task_id', '=', taskId),
      ]);
      return row && { version: row.version, data: row.data };
    },

    async putArtifact(kind, task, { version, data }) {
      await session.write(null, async (work) => {
        const taskId = taskOf(work.dictionary, task).id;
        work.add(putArtifact, { kind, taskId, version, data });
      });
    },

    async references(task, space) {
      const taskId = findTask(await session.freshDictionary(), task)?.id;
      if (taskId === undefined) return [];
      const [rows] = await driver.read([
        db
          .selectFrom('reference_image')
          .selectAll()
          .where('task_id', '=', taskId)
          .where('space', '=', space)
          .orderBy('id'),
      ]);
      return rows.map((row) => {
        const { id, className, vector } = referenceOf(row);
        return { id, className, vector };
      });
    },

    async putReferences(task, space, references, { replace = false } = {}) {
      await session.write(null, async (work) => {
        const taskId = taskOf(work.dictionary, task).id;
        if (replace) work.add(dropReferences, { taskId, space });
        for (const reference of references) work.add(putReference, { ...reference, taskId, space });
      });
    },
  };
}
