/** Forgetting images for good: every row that names one, in one transaction, and the group that was named after it. */

import type { Store } from '../store.ts';
import { imageKey } from './codec.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

type OfImage = { image_id: Uint8Array };

export function forgetStore(session: Session): Pick<Store, 'forgetImages'> {
  const { db, driver } = session;
  const dropQuarantine = template<OfImage>((v) =>
    db
      .deleteFrom('quarantine')
      .where('path', 'in', (eb) => eb.selectFrom('image_path').select('path').where('image_id', '=', v.image_id)),
  );
  const ofImage = (
    [
      'image_path',
      'gone_image',
      'image_split',
      'image_attributes',
      'candidate',
      'detection',
      'label',
      'region_shape',
      'region',
      'class_history_label',
      'class_history_region',
      'audit_item',
    ] as const
  ).map((table) => template<OfImage>((v) => db.deleteFrom(table).where('image_id', '=', v.image_id)));
  const dropPairs = (['a', 'b'] as const).map((side) =>
    template<OfImage>((v) => db.deleteFrom('similar_pair').where(side, '=', v.image_id)),
  );
  const dropImage = template<OfImage>((v) => db.deleteFrom('image').where('id', '=', v.image_id));
  /** A group is named after its first image: the others take the name of the first that is left. */
  const renameGroup = template<OfImage>((v) =>
    db
      .updateTable('image')
      .set((eb) => ({
        group_id: eb
          .selectFrom('image as other')
          .select((min) => min.fn.min('other.id').as('first'))
          .where('other.group_id', '=', v.image_id)
          .whereRef('other.group_id', '<>', 'other.id'),
      }))
      .where('group_id', '=', v.image_id)
      .whereRef('group_id', '<>', 'id'),
  );

  return {
    async forgetImages(ids) {
      const keys = [...new Set(ids)].map(imageKey);
      const counts = { images: 0, paths: 0, regions: 0, labels: 0 };
      await session.write(async (draft) => {
        Object.assign(counts, { images: 0, paths: 0, regions: 0, labels: 0 });
        draft.guard('regions', await session.regionsRevision());
        draft.bump('regions');
        for (const piece of pieces(keys)) {
          // The last piece is filled up with one id again and again, which counting rows does not mind.
          const [images, paths, regions, labels] = await driver.read([
            db.selectFrom('image').select('id').where('id', 'in', piece),
            db.selectFrom('image_path').select('path').where('image_id', 'in', piece),
            db.selectFrom('region').select('id').where('image_id', 'in', piece),
            db.selectFrom('label').select('class_id').where('image_id', 'in', piece),
          ]);
          counts.images += images.length;
          counts.paths += paths.length;
          counts.regions += regions.length;
          counts.labels += labels.length;
        }
        for (const image_id of keys) draft.add(dropQuarantine, { image_id });
        for (const statement of [...ofImage, ...dropPairs, dropImage, renameGroup]) {
          for (const image_id of keys) draft.add(statement, { image_id });
        }
      });
      return counts;
    },
  };
}
