/** What a file's name says: image, archive, rubbish. And names as text: bytes that are not UTF-8 stay tellable. */
import { isUtf8 } from 'node:buffer';
import { sniffFormat } from '../images/sniff.ts';

/** Extensions that always make an entry, so that a text file named `.jpg` or an undecoded HEIC is reported, not overlooked. */
const IMAGE_EXTENSIONS = new Set(
  (
    'jpg jpeg jpe jfif pjpeg png apng webp gif avif tif tiff bmp dib heic heif hif svg svgz jxl jp2 j2k jpx ' +
    'cr2 cr3 nef arw dng raf orf rw2 pef srw'
  ).split(' '),
);

/** Archives by the end of their name; `undefined` kinds are known by name only, so that they can be refused by name. */
const ARCHIVE_ENDINGS: readonly (readonly [ending: string, kind: ArchiveKind | 'unsupported'])[] = [
  ['.zip', 'zip'],
  ['.cbz', 'zip'],
  ['.tar', 'tar'],
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.bz2', 'unsupported'],
  ['.tbz2', 'unsupported'],
  ['.tar.xz', 'unsupported'],
  ['.txz', 'unsupported'],
  ['.tar.zst', 'unsupported'],
  ['.7z', 'unsupported'],
  ['.rar', 'unsupported'],
];

export type ArchiveKind = 'zip' | 'tar' | 'tar.gz';

/** The kind of archive a name says it is; undefined for anything else. */
export function archiveKindOf(name: string): ArchiveKind | 'unsupported' | undefined {
  const lower = name.toLowerCase();
  return ARCHIVE_ENDINGS.find(([ending]) => lower.endsWith(ending) && lower.length > ending.length)?.[1];
}

/**
 * What to do with a file, by its base name alone. `sniff` is a file with no extension at all (downloaded sets are often
 * named by a hash): its first bytes decide.
 */
export type NameKind = 'image' | 'archive' | 'sniff' | 'other' | 'hidden';

export function kindOfName(name: string): NameKind {
  if (isHiddenName(name)) return 'hidden';
  if (archiveKindOf(name) !== undefined) return 'archive';
  const dot = name.lastIndexOf('.');
  if (dot < 0) return 'sniff';
  return IMAGE_EXTENSIONS.has(name.slice(dot + 1).toLowerCase()) ? 'image' : 'other';
}

/** Bytes that {@link beginsLikeImage} wants of a file with no extension. */
export const SNIFFED_BYTES = 64;

/** Whether a file with no extension is one to look at. */
export function beginsLikeImage(head: Uint8Array): boolean {
  const format = sniffFormat(head);
  return format !== undefined && format !== 'pdf' && format !== 'video';
}

/** Hidden files and folders, and what operating systems and network storage leave behind: thumbnails, bins, the names of icons. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || isLeftBehind(name);
}

/** What operating systems and network storage put there, under names that do not begin with a dot. */
export function isLeftBehind(name: string): boolean {
  return LEFT_BEHIND.test(name);
}

const LEFT_BEHIND =
  /^(Thumbs\.db|ehthumbs\w*\.db|desktop\.ini|Icon\r|__MACOSX|\$RECYCLE\.BIN|RECYCLER|System Volume Information|lost\+found|#recycle|#snapshot|@eaDir|@Recycle|@Recently-Snapshot)$/i;

/** Whether any part of a member's path is hidden. */
export function isHiddenPath(path: string): boolean {
  return path.split('/').some((part) => part !== '' && part !== '.' && part !== '..' && isHiddenName(part));
}

/** A path as text and, where the text cannot say it, as bytes. */
export interface PathText {
  readonly path: string;
  readonly pathBytes: Uint8Array | null;
}

/** A path with `/` between its parts, on Windows too, where both separate and neither may stand in a name. */
export function withSlashes(path: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? path.replaceAll('\\', '/') : path;
}

/** UTF-8 as it is; else each byte that is not part of valid UTF-8 as `\xHH`, with the true bytes beside it. */
export function pathTextOf(bytes: Buffer): PathText {
  if (isUtf8(bytes)) return { path: withSlashes(bytes.toString('utf8')), pathBytes: null };
  let path = '';
  let at = 0;
  while (at < bytes.length) {
    const length = utf8LengthAt(bytes, at);
    if (length === 0) {
      path += `\\x${bytes[at].toString(16).padStart(2, '0').toUpperCase()}`;
      at += 1;
    } else {
      path += bytes.toString('utf8', at, at + length);
      at += length;
    }
  }
  return { path, pathBytes: new Uint8Array(bytes) };
}

/** Bytes of the valid UTF-8 character at `at`; 0 when there is none. */
function utf8LengthAt(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
