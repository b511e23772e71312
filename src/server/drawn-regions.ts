/**
 * Boxes and keypoints as people draw them. A region that is there keeps all but what was changed: its keypoints and outlines go
 * along with a box that is moved; where it is resized, outlines, which were of the old place, are gone; masks stay with a box
 * that stays.
 */
import { type Box, clipBox } from '../core/boxes.ts';
import type { Keypoints } from '../core/dataset.ts';
import { type ImageId, type RegionId, regionIdOf } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import type { Store, StoredRegion } from '../store/store.ts';

export interface DrawnRegion {
  readonly imageId: ImageId;
  /** One that is there; left out, a new one is drawn. */
  readonly id?: RegionId;
  readonly box: Box;
  readonly keypoints?: Keypoints;
  readonly className?: string;
}

export async function drawnRegion(
  store: Pick<Store, 'image' | 'regionsOf'>,
  { imageId, id, box: asked, keypoints, className = '' }: DrawnRegion,
): Promise<StoredRegion> {
  const image = await store.image(imageId);
  if (!image) throw new LabelsmithError('NOT_FOUND', 'there is no such image here');
  const [x1, y1, x2, y2] = clipBox(asked, image.width, image.height);
  const box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)] as const;
  if (box[2] - box[0] < 1 || box[3] - box[1] < 1) {
    throw new LabelsmithError('USAGE', 'the box has no pixel of the image in it');
  }
  const regions = (await store.regionsOf([imageId])).get(imageId) ?? [];
  const known = id === undefined ? undefined : regions.find((region) => region.id === id);
  if (id !== undefined && !known) throw new LabelsmithError('NOT_FOUND', 'there is no such region in this image');
  if (keypoints !== undefined && keypoints.length !== (known?.keypoints?.length ?? 0)) {
    throw new LabelsmithError('USAGE', `the region has ${known?.keypoints?.length ?? 0} keypoints`);
  }
  if (known) {
    const shapes = shapesAt(known, box);
    return { ...known, ...shapes, ...(keypoints ? { keypoints } : {}), box, touched: true, deleted: false };
  }
  const nothing = { score: null, modelKey: null, runId: null, keypoints: null, mask: null, polygons: null };
  return {
    ...nothing,
    id: freeId(regions, { imageId, className, box }),
    imageId,
    box,
    touched: true,
    deleted: false,
    crowd: false,
  };
}

/** Of its place and class; another one where a box that was drawn there has been moved since. What is drawn twice is one box. */
function freeId(
  regions: readonly StoredRegion[],
  { imageId, className, box }: Pick<StoredRegion, 'imageId' | 'box'> & { readonly className: string },
): RegionId {
  for (let ordinal = 0; ; ordinal++) {
    const id = regionIdOf(imageId, 'human', className, box, ordinal);
    const known = regions.find((region) => region.id === id);
    if (!known || known.box.every((side, i) => Math.abs(side - box[i]) < SAME_PX)) return id;
  }
}

/** Pixels that the two sides of a box may differ by and it still counts as moved: places are rounded on the way. */
const SAME_PX = 0.01;

type Shapes = Pick<StoredRegion, 'keypoints' | 'mask' | 'polygons'>;

function shapesAt({ box: was, keypoints, mask, polygons }: StoredRegion, box: Box): Shapes {
  const [dx, dy, dx2, dy2] = [box[0] - was[0], box[1] - was[1], box[2] - was[2], box[3] - was[3]];
  const isMoved = Math.abs(dx - dx2) < SAME_PX && Math.abs(dy - dy2) < SAME_PX;
  if (!isMoved) return { keypoints, mask: null, polygons: null };
  if (Math.abs(dx) < SAME_PX && Math.abs(dy) < SAME_PX) return { keypoints, mask, polygons };
  return {
    keypoints: keypoints?.map(([x, y, seen]) => (seen === 0 ? [x, y, seen] : [x + dx, y + dy, seen])) ?? null,
    mask: null,
    polygons: polygons?.map((polygon) => polygon.map((value, at) => value + (at % 2 === 0 ? dx : dy))) ?? null,
  };
}
