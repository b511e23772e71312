/**
 * Pictures of items to be shown together: an image's own file, or what a region's box holds with a little around it, as a small JPEG.
 *
 * Guarantees: in the order asked for; what is gone or cannot be read is left out. Where regions are asked for, the images that they
 * are in are looked up by one walk over the ids of all regions, 48 bytes each and 20,000 at a time.
 */
import { type ImageId, type ItemId, isImageId, isRegionId, type RegionId } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { thumbnailOf } from '../images/crops.ts';
import { MAX_PACKED_ITEMS } from '../store/item-store.ts';
import type { Store } from '../store/store.ts';
import { holdingFile, type ReadPath, readImageIfThere } from './image-reader.ts';

export interface ItemPicture {
  readonly id: ItemId;
  /** An encoded image. */
  readonly bytes: Uint8Array;
}

export interface ItemPictures {
  /** Of some of the items that this was made for. */
  of(ids: readonly ItemId[]): Promise<ItemPicture[]>;
}

/** Longest side of a region's picture in pixels, small ones enlarged, and what is shown around it as a share of its sides. */
const REGION_PX = 256;
const REGION_MARGIN = 0.15;

/** @param ids all items of which pictures will be asked for */
export async function itemPictures(
  { store, readBytes }: { readonly store: Store; readonly readBytes: ReadPath },
  ids: Iterable<ItemId>,
): Promise<ItemPictures> {
  const imageOf = await imagesOfRegions(store, [...ids].filter(isRegionId));
  const pictureOf = async (id: ItemId): Promise<Uint8Array | null> => {
    if (isImageId(id)) return readImageIfThere(store, id, readBytes);
    const imageId = imageOf.get(id);
    return imageId === undefined ? null : regionPicture(imageId, id);
  };
  const regionPicture = async (imageId: ImageId, id: RegionId): Promise<Uint8Array | null> => {
    const region = (await store.regionsOf([imageId])).get(imageId)?.find((one) => one.id === id);
    const image = await store.image(imageId);
    if (!region || !image) return null;
    return holdingFile(image.byteSize, async () => {
      const bytes = await readImageIfThere(store, imageId, readBytes);
      if (!bytes) return null;
      try {
        const shown = {
          longest: REGION_PX,
          box: region.box,
          margin: REGION_MARGIN,
          enlarge: true,
          format: 'jpeg',
        } as const;
        return (await thumbnailOf(bytes, shown)).bytes;
      } catch (error) {
        if (error instanceof LabelsmithError) return null;
        throw error;
      }
    });
  };
  return {
    async of(asked) {
      const pictures: ItemPicture[] = [];
      for (const id of asked) {
        const bytes = await pictureOf(id);
        if (bytes) pictures.push({ id, bytes });
      }
      return pictures;
    },
  };
}

async function imagesOfRegions(
  store: Pick<Store, 'packed'>,
  ids: readonly RegionId[],
): Promise<ReadonlyMap<RegionId, ImageId>> {
  const sought = new Set(ids);
  const found = new Map<RegionId, ImageId>();
  let after: string | undefined;
  while (found.size < sought.size) {
    const page = await store.packed({
      filter: { items: 'regions', gone: true },
      limit: MAX_PACKED_ITEMS,
      ...(after === undefined ? {} : { after }),
    });
    for (const pair of Buffer.from(page.ids).toString('hex').match(/.{96}/g) ?? []) {
      const region = pair.slice(64);
      if (sought.has(region)) found.set(region, pair.slice(0, 64));
    }
    if (page.next === null) break;
    after = page.next;
  }
  return found;
}
