/**
 * Which known image a file that changed is: identity is of bytes, kinship of pixels. What was said of an image passes to
 * the one that took its place when they are the same picture.
 *
 * Same is: the same pixel hash, wherever the file lies; at the same path of an image of before pixels were hashed, the
 * same size, perceptual hash and quality figures. With `followEdits` also, at the same path: a picture of the same size in
 * pixels that looks the same (compressed again, brightened, retouched). Anything else at a known path is another picture.
 */
import { type ImageId, type ItemId, regionIdOf } from '../../core/ids.ts';
import type { ImagePath, ImageRecord } from '../../core/image.ts';
import { NEAR_DUPLICATE_DISTANCE } from '../../images/duplicates.ts';
import { hammingDistance } from '../../images/hash.ts';
import type { NewLabel, Store } from '../../store/store.ts';

type KinStore = Pick<Store, 'lookupPaths' | 'image' | 'imagesByPixelHash' | 'pathsOfImages'>;

export interface Kinship {
  /** Known image → the one of the same picture that is being added. It inherits if no path of the known one is left. */
  readonly heirs: ReadonlyMap<ImageId, ImageId>;
  /** Those of them whose path the new one has. */
  readonly successors: ReadonlyMap<ImageId, ImageId>;
  /** Paths whose bytes changed and whose picture is the same, and those that hold another picture now. */
  readonly edited: number;
  readonly replaced: number;
}

export interface Incoming {
  /** New to the record. */
  readonly images: readonly ImageRecord[];
  readonly paths: readonly ImagePath[];
}

/** Looks up before a shard is committed what its images take the place of. */
export async function kinshipOf(
  store: KinStore,
  { images, paths }: Incoming,
  { followEdits }: { readonly followEdits: boolean },
): Promise<Kinship> {
  const heirs = await heirsByPixels(store, { images, paths });
  const successors = new Map<ImageId, ImageId>();
  let edited = 0;
  let replaced = 0;
  const incoming = new Map(images.map((image) => [image.id, image]));
  const known = await store.lookupPaths(paths.map(({ path }) => path));
  for (const { path, imageId } of paths) {
    const before = known.get(path)?.imageId;
    if (before == null || before === imageId) continue;
    const [was, is] = [await store.image(before), incoming.get(imageId) ?? (await store.image(imageId))];
    if (was === undefined || is === undefined) continue;
    if (isSamePicture(was, is) || (followEdits && isEditOf(was, is))) {
      heirs.set(before, imageId);
      successors.set(before, imageId);
      edited++;
    } else if (!known.get(path)?.missing) replaced++;
  }
  return { heirs, successors, edited, replaced };
}

/** Only of images that are gone, or will be with this shard: a set may hold a picture in a hundred other bytes. */
async function heirsByPixels(store: KinStore, { images, paths }: Incoming): Promise<Map<ImageId, ImageId>> {
  const heirs = new Map<ImageId, ImageId>();
  const byHash = await store.imagesByPixelHash(images.flatMap(({ pixelHash }) => pixelHash ?? []));
  const kin = [...byHash.values()].flat();
  if (kin.length === 0) return heirs;
  const pathsOf = await store.pathsOfImages(kin);
  const taken = new Set(paths.map(({ path }) => path));
  const isLeft = (id: ImageId) => pathsOf.get(id)?.some(({ path, missing }) => !missing && !taken.has(path)) ?? false;
  const gone = new Set(kin.filter((id) => !isLeft(id)));
  for (const { id, pixelHash } of images.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const known of (pixelHash && byHash.get(pixelHash)) || []) {
      if (known !== id && gone.has(known) && !heirs.has(known)) heirs.set(known, id);
    }
  }
  return heirs;
}

function isSamePicture(a: ImageRecord, b: ImageRecord): boolean {
  if (a.pixelHash != null && b.pixelHash != null) return a.pixelHash === b.pixelHash;
  const { quality: p, ...was } = a;
  const { quality: q, ...is } = b;
  return (
    was.width === is.width &&
    was.height === is.height &&
    was.perceptualHash === is.perceptualHash &&
    p.brightness === q.brightness &&
    p.sharpness === q.sharpness &&
    p.entropy === q.entropy
  );
}

/** Boxes are in pixels, so an edit has the size of before. */
function isEditOf(a: ImageRecord, b: ImageRecord): boolean {
  const sameSize = a.width === b.width && a.height === b.height;
  return sameSize && hammingDistance(a.perceptualHash, b.perceptualHash) <= NEAR_DUPLICATE_DISTANCE;
}

/**
 * After the commit: what people and imports said of images that are still there under another name is said of their
 * successors too, boxes included. (What hangs on images that are gone has passed on with the commit.)
 */
export async function shareWithSuccessors(
  store: Pick<Store, 'image' | 'labelsOf' | 'regionsOf' | 'putLabels' | 'putRegions'>,
  successors: Kinship['successors'],
): Promise<void> {
  for (const [from, to] of successors) {
    if ((await store.image(from)) === undefined) continue;
    const regions = ((await store.regionsOf([from])).get(from) ?? []).filter(({ touched }) => touched);
    const twins = regions.map((region, i) => ({
      ...region,
      id: regionIdOf(to, 'twin', '', region.box, i),
      imageId: to,
    }));
    const twinOf = new Map<ItemId, ItemId>([[from, to], ...regions.map(({ id }, i) => [id, twins[i].id] as const)]);
    const labels: NewLabel[] = [];
    for (const [itemId, known] of await store.labelsOf([...twinOf.keys()])) {
      for (const label of known) {
        if (label.origin !== 'human' && label.origin !== 'imported') continue;
        labels.push({ ...label, itemId: twinOf.get(itemId) ?? to, runId: null });
      }
    }
    if (twins.length > 0) await store.putRegions(twins.map((twin) => ({ ...twin, runId: null })));
    if (labels.length > 0) await store.putLabels(labels);
  }
}
