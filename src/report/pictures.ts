/** Which pictures a report has, and the pictures: the most telling first, until there are enough. */
import type { ImageId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import type { Store } from '../store/store.ts';
import type { PathNames } from './paths.ts';
import type { ReportPicture, Thumbnail } from './picture-data.ts';
import type { GatheredSection, ReportClass, ReportCopies, ReportFlag, ReportGroup } from './report-data.ts';

/** Gives an image's thumbnail, or null where none can be made any more. */
export type ReadThumbnail = (id: ImageId) => Promise<Thumbnail | null>;

/** Thumbnails read at once. */
const READS_AT_ONCE = 8;
/** Exemplars of each class that come before groups and flags when pictures run short. */
const FIRST_EXEMPLARS = 3;

/** Which pictures matter most: the first of every class, then what sections gathered, groups, flags and copies, then the rest class by class. */
export function pictureOrder(
  classes: readonly ReportClass[],
  gathered: readonly GatheredSection[],
  groups: readonly ReportGroup[],
  quality: readonly ReportFlag[],
  copies: readonly ReportCopies[],
): Set<ImageId> {
  const order = new Set<ImageId>();
  const shown = classes.map(({ typical, doubtful }) => interleaved(typical, doubtful).map(({ imageId }) => imageId));
  const most = Math.max(0, ...shown.map((list) => list.length));
  const rank = (r: number) => {
    for (const list of shown) if (r < list.length) order.add(list[r]);
  };
  for (let r = 0; r < FIRST_EXEMPLARS; r++) rank(r);
  for (const { pictures } of gathered) for (const id of pictures) order.add(id);
  for (const { members } of groups) for (const id of members) order.add(id);
  for (const { examples } of quality) for (const id of examples) order.add(id);
  for (const { imageId } of copies) order.add(imageId);
  for (let r = FIRST_EXEMPLARS; r < most; r++) rank(r);
  return order;
}

/** Three of the first, one of the second, and so on. */
function interleaved<T>(first: readonly T[], second: readonly T[]): T[] {
  const result: T[] = [];
  for (let i = 0; i < Math.max(Math.ceil(first.length / 3), second.length); i++) {
    result.push(...first.slice(3 * i, 3 * i + 3), ...second.slice(i, i + 1));
  }
  return result;
}

export async function readPictures(
  store: Pick<Store, 'pathsOfImages' | 'image'>,
  readThumbnail: ReadThumbnail,
  order: ReadonlySet<ImageId>,
  most: { readonly pictures: number; readonly bytes: number; readonly names: PathNames },
): Promise<{ pictures: Map<ImageId, ReportPicture>; leftOut: number }> {
  const pictures = new Map<ImageId, ReportPicture>();
  const ids = [...order];
  let bytes = 0;
  for (let start = 0; start < ids.length; start += READS_AT_ONCE) {
    const page = ids.slice(start, start + READS_AT_ONCE);
    const [paths, records, thumbnails] = await Promise.all([
      store.pathsOfImages(page),
      Promise.all(page.map((id) => store.image(id))),
      Promise.all(page.map(readThumbnail)),
    ]);
    for (const [i, id] of page.entries()) {
      const [thumbnail, record] = [thumbnails[i], records[i]];
      if (!thumbnail || !record) continue;
      const full = pictures.size === most.pictures || bytes + thumbnail.bytes.length > most.bytes;
      if (full) return { pictures, leftOut: ids.length - start - i };
      bytes += thumbnail.bytes.length;
      pictures.set(id, {
        file: fileOf(paths.get(id)?.[0], id, most.names),
        width: record.width,
        height: record.height,
        thumbnail,
      });
    }
  }
  return { pictures, leftOut: 0 };
}

/** The path below its source. */
function fileOf(path: ImagePath | undefined, id: ImageId, names: PathNames): string {
  if (!path) return id;
  const { path: full, sourceRoot } = path;
  const below = full.startsWith(sourceRoot) ? full.slice(sourceRoot.length).replace(/^(!?[/\\])/, '') : '';
  return below || names.path(full);
}
