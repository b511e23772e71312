/** Identities. All of them derive from content, so that two runs on the same data agree. */
import { hash } from 'node:crypto';

/**
 * Ids are strings, marked for the compiler alone: it takes none of one kind where one of another is meant. A string of which
 * nothing is known may become any of them; whether it has the form of one is checked where the store first meets it.
 */
declare const KIND: unique symbol;
type Id<Kind extends string> = string & { readonly [KIND]?: Kind };

/** SHA-256 of the image's bytes, 64 lower-case hexadecimal digits. */
export type ImageId = Id<'image'>;
/** As it lies in columns of ids. */
export const IMAGE_ID_BYTES = 32;
/** 32 lower-case hexadecimal digits; see {@link regionIdOf}. */
export type RegionId = Id<'region'>;
/** Of one execution of a stage; sorts by the time it began. */
export type RunId = Id<'run'>;
/** What carries a label: an image's or a region's id. The two never collide, since their lengths differ. */
export type ItemId = ImageId | RegionId;

export function sha256Hex(bytes: Uint8Array | string): string {
  return hash('sha256', bytes);
}

export function isImageId(id: ItemId): id is ImageId {
  return !isRegionId(id);
}

export function isRegionId(id: ItemId): id is RegionId {
  return id.length === 32;
}

/**
 * The identity of a region: its image, who made it (a model's key, `human`, or a format's name), its class and its box
 * in pixels. The box counts to a thousandth of a pixel, so the last bits of a float do not make another region.
 */
export function regionIdOf(
  imageId: ImageId,
  maker: string,
  className: string,
  box: ArrayLike<number>,
  ordinal = 0,
): RegionId {
  const corner = (i: number) => (Math.round(box[i] * 1000) / 1000).toFixed(3);
  const text = [imageId, maker, className, corner(0), corner(1), corner(2), corner(3), ordinal].join('\n');
  return sha256Hex(text).slice(0, 32);
}
