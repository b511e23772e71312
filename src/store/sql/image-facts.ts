/** What else is known of images: which are gone, hashes of their pixels, and attributes that imports brought. */
import { IdSet } from '../../core/id-set.ts';
import type { ImageId } from '../../core/ids.ts';
import type { Attributes } from '../../core/region-details.ts';
import { attributesSchema } from '../../core/region-details.ts';
import type { Store } from '../store.ts';
import { bytesOfId, idOf, imageKey, NO_BYTES, stored } from './codec.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

type ImageFacts = Pick<
  Store,
  'goneImages' | 'imagesByPixelHash' | 'putPixelHashes' | 'putImageAttributes' | 'attributesOf'
>;

export function imageFactStore(session: Session): ImageFacts {
  const { db, driver } = session;
  const setHash = template<{ id: Uint8Array; pixel_hash: Uint8Array }>((v) =>
    db.updateTable('image').set({ pixel_hash: v.pixel_hash }).where('id', '=', v.id),
  );
  const putAttributes = template<Schema['image_attributes']>((v) =>
    db
      .insertInto('image_attributes')
      .values({ image_id: v.image_id, attributes: v.attributes })
      .onConflict((conflict) =>
        conflict.column('image_id').doUpdateSet((eb) => ({ attributes: eb.ref('excluded.attributes') })),
      ),
  );
  const dropAttributes = template<{ image_id: Uint8Array }>((v) =>
    db.deleteFrom('image_attributes').where('image_id', '=', v.image_id),
  );
  return {
    async goneImages() {
      const gone = new IdSet();
      const pages = session.pages<{ image_id: Uint8Array }>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('gone_image')
          .select('image_id')
          .where('image_id', '>', last?.image_id ?? NO_BYTES);
        return (await driver.read([query.orderBy('image_id').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) for (const row of rows) gone.add(idOf(row.image_id));
      return gone;
    },

    async imagesByPixelHash(hashes) {
      const images = new Map<string, ImageId[]>();
      for (const piece of pieces([...new Set(hashes)].map((hash) => bytesOfId(hash, 64)))) {
        const [rows] = await driver.read([
          db
            .selectFrom('image')
            .select(['id', 'pixel_hash'])
            .where('pixel_hash', 'in', piece)
            .where('pixel_hash', 'is not', null),
        ]);
        for (const row of rows) {
          if (row.pixel_hash === null) continue;
          const hash = idOf(row.pixel_hash);
          images.set(hash, [...(images.get(hash) ?? []), idOf(row.id)].sort());
        }
      }
      return images;
    },

    async putPixelHashes(hashes) {
      await session.write((draft) => {
        for (const [id, hash] of hashes) {
          draft.add(setHash, { id: imageKey(id), pixel_hash: bytesOfId(hash, 64) });
        }
      });
    },

    async putImageAttributes(attributes) {
      await session.write((draft) => {
        for (const [id, of] of attributes) {
          const image_id = imageKey(id);
          if (Object.keys(of).length === 0) draft.add(dropAttributes, { image_id });
          else draft.add(putAttributes, { image_id, attributes: JSON.stringify(of) });
        }
      });
    },

    async attributesOf(ids) {
      const attributes = new Map<ImageId, Attributes>();
      for (const piece of pieces([...new Set(ids)].map(imageKey))) {
        const [rows] = await driver.read([
          db.selectFrom('image_attributes').selectAll().where('image_id', 'in', piece),
        ]);
        for (const row of rows) attributes.set(idOf(row.image_id), attributesOfRow(row));
      }
      return attributes;
    },
  };
}

export function attributesOfRow(row: Schema['image_attributes']): Attributes {
  return stored(attributesSchema, row.attributes, `image ${idOf(row.image_id)}`);
}
