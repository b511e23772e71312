/**
 * Pictures for the browser: small ones of images and regions, kept as blobs, and larger ones made each time. All are WebP
 * made here from decoded pixels: no byte of a file from anywhere reaches the browser, and no metadata.
 *
 * Bounded: so many pixels are decoded at once, and files are held one by one where they are large (`holdingFile`).
 */
import type { Box } from '../core/boxes.ts';
import type { ImageId, RegionId } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { thumbnailOf } from '../images/crops.ts';
import { PixelBudget } from '../images/pixel-budget.ts';
import { holdingFile, originalBytes, readImage } from '../jobs/image-reader.ts';
import type { Workspace } from '../jobs/workspace.ts';

export interface PictureRequest {
  readonly imageId: ImageId;
  /** Shows the region alone, with a little around it. */
  readonly regionId?: RegionId;
}

export interface Pictures {
  /** Longest side {@link THUMBNAIL_PX}; kept. */
  thumbnail(request: PictureRequest): Promise<Uint8Array>;
  /** The whole image, at most so many pixels on its longest side. */
  whole(imageId: ImageId, longest: number): Promise<Uint8Array>;
}

export const THUMBNAIL_PX = 256;
const REGION_MARGIN = 0.15;

export function createPictures(workspace: Pick<Workspace, 'store' | 'blobs' | 'dir'>): Pictures {
  const { store, blobs } = workspace;
  const read = originalBytes(workspace);
  const budget = new PixelBudget();
  const making = new Map<string, Promise<Uint8Array>>();

  async function make(imageId: ImageId, options: { readonly longest: number; readonly box?: Box }) {
    const image = await store.image(imageId);
    if (!image) throw new LabelsmithError('NOT_FOUND', 'there is no such image here');
    return holdingFile(image.byteSize, () =>
      budget.run(image.width * image.height * 3, async () => {
        const bytes = await readImage(store, imageId, read);
        return (await thumbnailOf(bytes, { ...options, margin: REGION_MARGIN, kernel: 'linear' })).bytes;
      }),
    );
  }

  async function boxOf(imageId: ImageId, regionId: RegionId): Promise<Box> {
    const regions = (await store.regionsOf([imageId])).get(imageId) ?? [];
    const region = regions.find(({ id }) => id === regionId);
    if (!region) throw new LabelsmithError('NOT_FOUND', 'there is no such region in this image');
    return region.box;
  }

  return {
    async thumbnail({ imageId, regionId }) {
      const box = regionId === undefined ? undefined : await boxOf(imageId, regionId);
      const of = box === undefined ? imageId : `${regionId}-${box.map(Math.round).join('-')}`.replaceAll('--', '-m');
      const key = `thumbnails/${THUMBNAIL_PX}/${of.slice(0, 2)}/${of}.webp`;
      const kept = await blobs.get(key);
      if (kept) return kept;
      const under = making.get(key);
      if (under) return under;
      const made = make(imageId, { longest: THUMBNAIL_PX, box }).finally(() => making.delete(key));
      making.set(key, made);
      const bytes = await made;
      await blobs.put(key, bytes);
      return bytes;
    },
    whole: (imageId, longest) => make(imageId, { longest }),
  };
}
