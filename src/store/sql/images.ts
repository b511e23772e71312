/** Images: ingest, reading them in order, what else is known of them. */
import { sql } from 'kysely';
import { IdSet } from '../../core/id-set.ts';
import type { ImageId } from '../../core/ids.ts';
import { type ImageRecord, PRINT_CELLS } from '../../core/image.ts';
import type { Attributes } from '../../core/region-details.ts';
import type { ImageFilter, ImageStore } from '../store.ts';
import { chunks } from './chunks.ts';
import { FLAG_BITS } from './codes.ts';
import { bytesOfId, hexOf, imageKey, NO_BYTES } from './column.ts';
import { runKeyOf } from './dictionary.ts';
import { passOn } from './heirs.ts';
import { putPaths, setMissing } from './paths.ts';
import { putInQuarantine, rootsOf } from './quarantine.ts';
import { countOf } from './raw-query.ts';
import type { Session } from './session.ts';
import { decoder, insert, type RowOf, remove, update } from './table.ts';
import { imageAttributes, imagePrints, imageSlopes, images } from './tables.ts';
import type { Work } from './work.ts';

export type ImageRow = RowOf<typeof images.columns>;

const STATEMENTS = {
  add: insert(images, { existing: 'ignore' }),
  addPrint: insert(imagePrints, { existing: 'ignore' }),
  addSlopes: insert(imageSlopes, { existing: 'ignore' }),
  setPixelHash: update(images, { set: ['pixelHash'], where: ['id'] }),
  putAttributes: insert(imageAttributes, { existing: 'replace' }),
  dropAttributes: remove(imageAttributes, ['imageId']),
};
const fieldsOf = decoder(images);
export const attributesOfRow = decoder(imageAttributes);

export function imageOf(row: ImageRow): ImageRecord {
  const { brightness, sharpness, entropy, pixelHash, runKey: _, revision: __, ...image } = fieldsOf(row);
  const quality = { brightness, sharpness, entropy };
  return { ...image, quality, ...(pixelHash === null ? {} : { pixelHash }) };
}

function addImage(work: Work, { quality, pixelHash = null, print, ...image }: ImageRecord, runKey: number): void {
  work.add(STATEMENTS.add, { ...image, ...quality, pixelHash, runKey, revision: work.changeId });
  if (print !== undefined) {
    work.add(STATEMENTS.addPrint, { imageId: image.id, print: print.subarray(0, PRINT_CELLS) });
    if (print.length > PRINT_CELLS) {
      work.add(STATEMENTS.addSlopes, { imageId: image.id, slopes: print.subarray(PRINT_CELLS) });
    }
  }
  work.reach(image.id);
}

/** Images that were seen to lose their last path are left out, unless `gone`. */
export function imagesWhere({ db }: Session, { flag, groupId, gone = false }: ImageFilter) {
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

type Images = Pick<ImageStore, 'commitIngest' | 'image' | 'images' | 'countImages' | 'goneImages'>;

export function imageStore(session: Session): Images {
  const { db } = session;
  return {
    async commitIngest(shard) {
      await session.write('images', async (work) => {
        const runKey = runKeyOf(work.dictionary, shard.runId);
        await work.know({ roots: [...rootsOf(shard.paths), ...rootsOf(shard.quarantine)] });
        for (const image of shard.images) addImage(work, image, runKey);
        putPaths(work, shard.paths);
        putInQuarantine(work, shard.quarantine);
        // The bytes an image was known by are no longer at this path.
        setMissing(
          work,
          shard.quarantine.map(({ path }) => path),
          true,
        );
        passOn(work, shard.heirs ?? new Map());
      });
    },

    async image(id) {
      const [[row]] = await session.driver.read([db.selectFrom('image').selectAll().where('id', '=', imageKey(id))]);
      return row === undefined ? undefined : imageOf(row);
    },

    async *images(filter = {}) {
      let left = filter.limit ?? Number.POSITIVE_INFINITY;
      const pages = session.pages<ImageRow>(session.pageSize, async (last) => {
        const query = imagesWhere(session, filter)
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
      const query = imagesWhere(session, filter).select((eb) => eb.fn.countAll<number>().as('n'));
      return Math.min(countOf(await session.driver.analyse(query)), filter.limit ?? Number.POSITIVE_INFINITY);
    },

    async goneImages() {
      const gone = new IdSet();
      const pages = session.pages<{ image_id: Uint8Array }>(session.pageSize, async (last) => {
        const query = db
          .selectFrom('gone_image')
          .select('image_id')
          .where('image_id', '>', last?.image_id ?? NO_BYTES);
        return (await session.driver.read([query.orderBy('image_id').limit(session.pageSize)]))[0];
      });
      for await (const rows of pages) for (const row of rows) gone.add(hexOf(row.image_id));
      return gone;
    },
  };
}

type ImageFacts = Pick<ImageStore, 'imagesByPixelHash' | 'putPixelHashes' | 'putImageAttributes' | 'attributesOf'>;

/** Hashes of pixels, and attributes that imports brought. */
export function imageFactStore(session: Session): ImageFacts {
  const { db, driver } = session;
  return {
    async imagesByPixelHash(hashes) {
      const found = new Map<string, ImageId[]>();
      for (const chunk of chunks([...new Set(hashes)].map((hash) => bytesOfId(hash, 64)))) {
        const [rows] = await driver.read([
          db
            .selectFrom('image')
            .select(['id', 'pixel_hash'])
            .where('pixel_hash', 'in', chunk)
            .where('pixel_hash', 'is not', null),
        ]);
        for (const { id, pixel_hash } of rows) {
          if (pixel_hash === null) continue;
          const hash = hexOf(pixel_hash);
          found.set(hash, [...(found.get(hash) ?? []), hexOf(id)].sort());
        }
      }
      return found;
    },

    async putPixelHashes(hashes) {
      if (hashes.size === 0) return;
      await session.write(null, async (work) => {
        for (const [id, pixelHash] of hashes) work.add(STATEMENTS.setPixelHash, { id, pixelHash });
      });
    },

    async putImageAttributes(attributes) {
      if (attributes.size === 0) return;
      await session.write('facts', async (work) => {
        for (const [imageId, of] of attributes) {
          if (Object.keys(of).length === 0) work.add(STATEMENTS.dropAttributes, { imageId });
          else work.add(STATEMENTS.putAttributes, { imageId, attributes: of });
        }
        work.touch(attributes.keys());
      });
    },

    async attributesOf(ids) {
      const attributes = new Map<ImageId, Attributes>();
      for (const chunk of chunks([...new Set(ids)].map(imageKey))) {
        const [rows] = await driver.read([
          db.selectFrom('image_attributes').selectAll().where('image_id', 'in', chunk),
        ]);
        for (const { imageId, attributes: of } of rows.map(attributesOfRow)) attributes.set(imageId, of);
      }
      return attributes;
    },
  };
}
