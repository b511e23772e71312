/**
 * Names that every file system takes. A name is changed only where it has to be, the same way every time, and no two
 * names of an export fall together, on file systems that ignore case or Unicode form too.
 */
import { createHash } from 'node:crypto';
import { FingerprintSet } from '../core/fingerprints.ts';

/** Presigned addresses stay far below; what is longer is a picture as text, or meant to keep readers busy. */
export const MAX_NAME_CHARACTERS = 16_384;

/** Longest name of one path component in bytes of UTF-8 (ext4, APFS, NTFS in practice), less room for a suffix. */
const MAX_COMPONENT_BYTES = 200;

/** Device names of Windows, which hold with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;
/** Control characters, what Windows forbids, and lone surrogates, which UTF-8 cannot hold. */
const FORBIDDEN = /[\p{Cc}\p{Cs}<>:"/\\|?*]/gu;

/**
 * One component of a path: forbidden characters become `%XX`, as in a URL. `..`, `CON` and the like lose their meaning,
 * and nothing is hidden by a dot at its start, since readers of exports pass over hidden files.
 */
export function safeComponent(name: string): string {
  let safe = name.replace(FORBIDDEN, percent);
  if (/[. ]$/.test(safe)) safe = safe.slice(0, -1) + percent(safe.at(-1) as string);
  if (safe.startsWith('.')) safe = percent('.') + safe.slice(1);
  if (RESERVED.test(safe)) safe = percent(safe[0]) + safe.slice(1);
  if (safe === '') safe = '%';
  return shortened(safe, name);
}

/** The path with the names that exports shorten as they shorten them; null where none is so long. */
export function shortenedPath(path: string): string | null {
  if (path.length <= MAX_COMPONENT_BYTES / 4) return null;
  const parts = path.split('/');
  const isLong = (part: string) => Buffer.byteLength(part) > MAX_COMPONENT_BYTES;
  return parts.some(isLong) ? parts.map((part) => (isLong(part) ? safeComponent(part) : part)).join('/') : null;
}

/** A relative path made of safe components; empty ones fall out, `..` stays a name and never climbs. */
export function safePath(path: string): string {
  const components = path.split('/').filter((component) => component !== '');
  return components.length === 0 ? '%' : components.map(safeComponent).join('/');
}

function percent(character: string): string {
  const code = character.charCodeAt(0);
  return `%${code < 256 ? code.toString(16).toUpperCase().padStart(2, '0') : `u${code.toString(16).toUpperCase()}`}`;
}

/** Cut to the limit; what is cut off is told apart by a hash of the whole name, and the extension stays. */
function shortened(safe: string, name: string): string {
  if (Buffer.byteLength(safe) <= MAX_COMPONENT_BYTES) return safe;
  const [stem, extension] = splitExtension(safe);
  const tail = `~${createHash('sha256').update(name).digest('hex').slice(0, 8)}${extension}`;
  let room = MAX_COMPONENT_BYTES - Buffer.byteLength(tail);
  let kept = '';
  for (const character of stem) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  return kept + tail;
}

/** `photo.tar.gz` is `photo.tar` and `.gz`; a leading dot starts no extension, nor do more than 10 characters. */
export function splitExtension(path: string): [stem: string, extension: string] {
  const found = /[^/](\.[^./]{1,10})$/.exec(path);
  const extension = found?.[1] ?? '';
  return [path.slice(0, path.length - extension.length), extension];
}

/** Equal for names that a file system which ignores case or Unicode form takes for one. */
function folded(path: string): string {
  return path.normalize('NFC').toLowerCase().toUpperCase().toLowerCase();
}

export interface NameTableOptions {
  /**
   * Names that differ only in their extension get different stems, for formats that put `photo.txt` beside `photo.jpg`.
   * Default false.
   */
  readonly uniqueStems?: boolean;
  /** A component that this export cannot have, and what stands for it. */
  readonly rename?: Readonly<Record<string, string>>;
}

/**
 * The paths given out in one export. Who comes first keeps the plain name; the next one that would fall on it gets `~`
 * and the start of its id. Images come in order of id, so the outcome depends on the data alone.
 * Resident: 16 to 32 bytes a path and as much a folder; twice that with `uniqueStems`.
 */
export class NameTable {
  readonly #files = new FingerprintSet();
  readonly #stems = new FingerprintSet();
  readonly #folders = new FingerprintSet();
  readonly #options: NameTableOptions;
  /** Paths that came out other than they went in. */
  renamed = 0;

  constructor(options: NameTableOptions = {}) {
    this.#options = options;
  }

  /** @param distinct content-derived text that no other path of this export has (an image's or a region's id) */
  give(path: string, distinct: string): string {
    const rename = this.#options.rename ?? {};
    const parts = safePath(path)
      .split('/')
      .map((part) => (Object.hasOwn(rename, part) ? rename[part] : part));
    const name = parts.pop() as string;
    const folder = this.#folder(parts, distinct);
    const [stem, extension] = splitExtension(name);
    let given = folder + name;
    for (let length = 8; !this.#take(given); length += 8) {
      given = `${folder}${stem}~${distinct.slice(0, length)}${extension}`;
      if (length > 64 + distinct.length) throw new Error(`two images of one export share the id ${distinct}`);
    }
    if (given !== path) this.renamed++;
    return given;
  }

  #take(path: string): boolean {
    const key = folded(path);
    if (this.#folders.has(key) || this.#files.has(key)) return false;
    if (this.#options.uniqueStems && !this.#stems.add(folded(splitExtension(path)[0]))) return false;
    return this.#files.add(key);
  }

  /** A folder cannot have the name of a file that is there. */
  #folder(parts: readonly string[], distinct: string): string {
    let folder = '';
    for (const part of parts) {
      let next = folder + part;
      if (this.#files.has(folded(next))) next = `${folder}${part}~${distinct.slice(0, 8)}`;
      this.#folders.add(folded(next));
      folder = `${next}/`;
    }
    return folder;
  }
}

/** Folder of images that carry no class. */
export const UNLABELLED_FOLDER = '_unlabelled';

/** A folder name for each class, and whether any differs from its class (then `classes.json` is written). */
export interface ClassFolders {
  readonly folderOf: ReadonlyMap<string, string>;
  readonly changed: boolean;
}

/** @param reserved names that no class may have, such as `_unlabelled` */
export function classFolders(classNames: readonly string[], reserved: readonly string[]): ClassFolders {
  const taken = new Set(reserved.map(folded));
  const folderOf = new Map<string, string>();
  let changed = false;
  for (const className of classNames) {
    const plain = safeComponent(className);
    let folder = plain;
    for (let n = 2; taken.has(folded(folder)); n++) folder = `${plain}~${n}`;
    taken.add(folded(folder));
    folderOf.set(className, folder);
    changed ||= folder !== className;
  }
  return { folderOf, changed };
}
