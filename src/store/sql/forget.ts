/** Forgetting images for good: every row that names one, in one transaction, and the group that was named after it. */
import type { ImageStore } from '../store.ts';
import { chunks } from './chunks.ts';
import { imageId, imageKey } from './column.ts';
import { countOf } from './raw-query.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import type { Work } from './work.ts';

/** What refers to something goes before it. */
const DELETED = [
  'delete from quarantine where path in (select path from image_path where image_id in :images)',
  'delete from image_path where image_id in :images',
  'delete from gone_image where image_id in :images',
  'delete from image_revision where image_id in :images',
  'delete from image_split where image_id in :images',
  'delete from image_attributes where image_id in :images',
  'delete from image_print where image_id in :images',
  'delete from image_slopes where image_id in :images',
  'delete from candidate where image_id in :images',
  'delete from detection where image_id in :images',
  'delete from label where image_id in :images',
  'delete from former_label where image_id in :images',
  'delete from region_shape where image_id in :images',
  'delete from region where image_id in :images',
  'delete from operation_label where image_id in :images',
  'delete from operation_region where image_id in :images',
  'delete from staged_label where image_id in :images',
  'delete from staged_region where image_id in :images',
  'delete from audit_item where image_id in :images',
  'delete from export_state where image_id in :images',
  'delete from similar_pair where a in :images',
  'delete from similar_pair where b in :images',
  'delete from image where id in :images',
];
/** A group is named after its first image: the others take the name of the first that is left. */
const renameGroup = statement(
  `update image set group_id = (
    select other.id from image as other where other.group_id = :imageId and other.group_id <> other.id
    order by other.id limit 1
  ) where group_id = :imageId and group_id <> id`,
  { imageId },
);

export function forgetStore(session: Session): Pick<ImageStore, 'forgetImages'> {
  return {
    async forgetImages(ids) {
      const images = [...new Set(ids)];
      if (images.length === 0) return { images: 0, paths: 0, regions: 0, labels: 0 };
      return session.write('forget', async (work) => {
        const forgotten = {
          images: await countRows(work, 'image', 'id', images),
          paths: await countRows(work, 'image_path', 'image_id', images),
          regions: await countRows(work, 'region', 'image_id', images),
          labels: await countRows(work, 'label', 'image_id', images),
        };
        for (const sql of DELETED) work.addForImages(sql, images);
        for (const one of images) work.add(renameGroup, { imageId: one });
        return forgotten;
      });
    },
  };
}

async function countRows(
  work: Work,
  table: 'image' | 'image_path' | 'region' | 'label',
  column: 'id' | 'image_id',
  images: readonly string[],
): Promise<number> {
  let count = 0;
  for (const chunk of chunks(images.map(imageKey))) {
    const { ref } = work.db.dynamic;
    const query = work.db.selectFrom(table).select((eb) => eb.fn.countAll<number>().as('n'));
    const [rows] = await work.read([query.where(ref(column), 'in', chunk)]);
    count += countOf(rows);
  }
  return count;
}
