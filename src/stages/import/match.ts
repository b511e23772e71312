/**
 * Finds which stored image a file name of an import or of a truth means.
 *
 * In this order: the path relative to the import's root or the file's folder; the identity, where the format carries it;
 * the longest run of whole path components from the end that some stored path shares, the base name alone being enough
 * where it is unique among stored images and among the names asked for; the SHA-256 of the bytes, where the named file
 * is there to be read. Several paths of one image are one candidate.
 *
 * A name is read as people mean it: `spellingsOf` says how; a stored one is also found as exports shorten it. Letters' case, and
 * whether an accent is a character of its own (Unicode's NFC and NFD), decide only between names that are both there.
 *
 * Paths are kept with their components reversed and sorted, so that what shares an end stands together: building is
 * O(n log n), a look-up O(log n) whatever the names are, a million files called `image.jpg` included.
 * Resident: about twice the length of each path, once more where it has capitals, and 16 to 32 bytes a name asked for.
 */
import { posix } from 'node:path';
import { FingerprintSet } from '../../core/fingerprints.ts';
import type { ImageId } from '../../core/ids.ts';
import { MAX_NAME_CHARACTERS, shortenedPath, splitExtension } from '../../formats/names.ts';
import { IMAGE_EXTENSIONS, isImageName } from '../../formats/walk.ts';

export type Match =
  | {
      readonly kind: 'matched';
      readonly imageId: ImageId;
      readonly by: 'path' | 'identity' | 'ending' | 'sha256' | 'upload';
    }
  | { readonly kind: 'ambiguous'; readonly file: string; readonly candidates: readonly string[] }
  | { readonly kind: 'unmatched'; readonly file: string };

/** Named in an ambiguous match. */
const MAX_CANDIDATES = 5;
/** Looked through for one that is written as asked; more would make a million files of one name slow. */
const MAX_SAME_ENDINGS = 64;

export class FileMatcher {
  readonly #roots: readonly string[];
  /** Reversed paths in NFC and lower case, sorted; `#written` and `#ids` in the same order. */
  readonly #keys: string[] = [];
  /** The same as they are. */
  readonly #written: string[] = [];
  readonly #ids: ImageId[] = [];
  readonly #known: ReadonlySet<ImageId>;
  /** Base names asked for, and those asked for by more than one file. */
  readonly #askedFiles = new FingerprintSet();
  readonly #askedNames = new FingerprintSet();
  readonly #sharedNames = new FingerprintSet();

  /**
   * @param stored absolute paths of stored images, any number an image
   * @param roots absolute folders that relative names may count from; the first, the import's own, comes before the
   * others, which count only where they agree
   */
  constructor(stored: Iterable<{ readonly imageId: ImageId; readonly path: string }>, roots: readonly string[]) {
    this.#roots = roots;
    const entries: { key: string; written: string; id: ImageId }[] = [];
    const known = new Set<ImageId>();
    for (const { imageId, path } of stored) {
      for (const name of [path, shortenedPath(path)]) {
        if (name === null) continue;
        const written = keyOf(name);
        const key = folded(written);
        entries.push({ key: key === written ? written : key, written, id: imageId });
      }
      known.add(imageId);
    }
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id < b.id ? -1 : 1));
    for (const { key, written, id } of entries) {
      this.#keys.push(key);
      this.#written.push(written);
      this.#ids.push(id);
    }
    this.#known = known;
  }

  /** To be called for every file before the first `match`, so that a base name that two files share decides nothing. */
  expect(file: string): void {
    const key = folded(keyOf(file));
    if (!this.#askedFiles.add(key)) return;
    const name = nameOfKey(key);
    if (!this.#askedNames.add(name)) this.#sharedNames.add(name);
  }

  /**
   * @param identity the image's id, where the format carries it
   * @param otherNames further names of the same image, best first
   */
  match(file: string, identity?: ImageId, otherNames: readonly string[] = []): Match {
    const candidates = [file, ...otherNames].flatMap(spellingsOf);
    for (const candidate of candidates) {
      const exact = this.#exact(candidate);
      if (exact !== null) return { kind: 'matched', imageId: exact, by: 'path' };
    }
    if (identity !== undefined && this.#known.has(identity))
      return { kind: 'matched', imageId: identity, by: 'identity' };
    let ambiguous: Match | null = null;
    for (const candidate of candidates) {
      const match = this.#byEnding(candidate, file);
      if (match.kind === 'matched') return match;
      if (match.kind === 'ambiguous') ambiguous ??= match;
    }
    return ambiguous ?? this.#asUploaded(candidates, file);
  }

  /** Pictures that were uploaded to Label Studio got eight digits before their name. */
  #asUploaded(candidates: readonly string[], asked: string): Match {
    for (const candidate of candidates.filter(({ length }) => length <= MAX_NAME_CHARACTERS)) {
      const plain = candidate.replace(/(^|\/)[0-9a-f]{8}-(?=[^/]+$)/, '$1');
      const match = plain === candidate ? null : this.#byEnding(plain, asked);
      if (match !== null && match.kind !== 'unmatched')
        return match.kind === 'matched' ? { ...match, by: 'upload' } : match;
    }
    return { kind: 'unmatched', file: asked };
  }

  /** The last resort for what `match` did not find. */
  matchBytes(file: string, sha256: ImageId): Match {
    if (this.#known.has(sha256)) return { kind: 'matched', imageId: sha256, by: 'sha256' };
    return { kind: 'unmatched', file };
  }

  #exact(file: string): ImageId | null {
    if (file.startsWith('/')) return this.#at(file);
    const [own, ...others] = this.#roots.map((root) => this.#at(posix.join(root, file)));
    if (own) return own;
    const found = new Set(others.filter((id) => id !== null));
    return found.size === 1 ? [...found][0] : null;
  }

  /** The image at a path; null where there is none, or several that differ in letters' case or accents' form only. */
  #at(path: string): ImageId | null {
    const written = keyOf(path);
    const key = folded(written);
    const first = this.#lowerBound(key);
    const places: number[] = [];
    for (let i = first; this.#keys[i] === key; i++) places.push(i);
    const ids = this.#idsAt(places, written);
    return ids.size === 1 ? [...ids][0] : null;
  }

  /** Images at these places; where some are written just so, or but for accents' form, only they. */
  #idsAt(places: readonly number[], written: string): Set<ImageId> {
    const composed = written.normalize('NFC');
    const exact = places.filter((i) => this.#written[i].startsWith(written));
    const sameCase =
      exact.length > 0 ? exact : places.filter((i) => this.#written[i].normalize('NFC').startsWith(composed));
    return new Set((sameCase.length > 0 ? sameCase : places).map((i) => this.#ids[i]));
  }

  #byEnding(file: string, asked: string): Match {
    const written = keyOf(file);
    const key = folded(written);
    const at = this.#lowerBound(key);
    const shared = Math.max(sharedEnd(key, this.#keys[at]), sharedEnd(key, this.#keys[at - 1]));
    if (shared === 0) return this.#byStem(file, asked);
    const ending = key.slice(0, shared);
    const places: number[] = [];
    const first = this.#lowerBound(ending);
    for (let i = first; this.#keys[i]?.startsWith(ending) && places.length < MAX_SAME_ENDINGS; i++) places.push(i);
    const ids = this.#idsAt(places, firstComponents(written, componentsIn(ending)));
    if (ids.size > 1) {
      const seen = new Set<ImageId>();
      const others = places.filter((i) => ids.has(this.#ids[i]) && !seen.has(this.#ids[i]) && seen.add(this.#ids[i]));
      const candidates = others.slice(0, MAX_CANDIDATES).map((i) => pathOfKey(this.#written[i]));
      return { kind: 'ambiguous', file: asked, candidates };
    }
    const nameOnly = ending === `${nameOfKey(key)}\0`;
    // The file says more than its base name and the stored path says otherwise: fine unless others ask for it too.
    if (nameOnly && ending !== key && this.#sharedNames.has(nameOfKey(key))) return { kind: 'unmatched', file: asked };
    return { kind: 'matched', imageId: [...ids][0], by: 'ending' };
  }

  /** A name with no image's extension, as label files give it, means the image with that stem. */
  #byStem(file: string, asked: string): Match {
    if (isImageName(file)) {
      const other = withOtherEnding(file);
      return other === null ? { kind: 'unmatched', file: asked } : this.#byOtherEnding(other, asked);
    }
    const matches: { match: Match; shared: number }[] = [];
    for (const extension of IMAGE_EXTENSIONS) {
      const key = folded(keyOf(file + extension));
      const at = this.#lowerBound(key);
      const shared = Math.max(sharedEnd(key, this.#keys[at]), sharedEnd(key, this.#keys[at - 1]));
      if (shared === 0) continue;
      matches.push({ match: this.#byEnding(file + extension, asked), shared: componentsIn(key.slice(0, shared)) });
    }
    const most = Math.max(...matches.map(({ shared }) => shared));
    const best = matches.filter(({ shared }) => shared === most).map(({ match }) => match);
    if (best.length === 1) {
      const [match] = best as [Match];
      const name = nameOfKey(folded(keyOf(file)));
      const decided = match.kind !== 'matched' || most > 1 || !this.#sharedNames.has(name) || !file.includes('/');
      return decided ? match : { kind: 'unmatched', file: asked };
    }
    if (best.length === 0) return { kind: 'unmatched', file: asked };
    const candidates = best
      .flatMap((match) => (match.kind === 'ambiguous' ? match.candidates : []))
      .slice(0, MAX_CANDIDATES);
    return { kind: 'ambiguous', file: asked, candidates };
  }

  /** `a.jpeg` means `a.jpg` where nothing is called so: one kind of file under two endings. */
  #byOtherEnding(file: string, asked: string): Match {
    const key = folded(keyOf(file));
    const at = this.#lowerBound(key);
    const shared = Math.max(sharedEnd(key, this.#keys[at]), sharedEnd(key, this.#keys[at - 1]));
    return shared === 0 ? { kind: 'unmatched', file: asked } : this.#byEnding(file, asked);
  }

  #lowerBound(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const OTHER_ENDINGS: ReadonlyMap<string, string> = new Map([
  ['.jpeg', '.jpg'],
  ['.jpg', '.jpeg'],
  ['.tiff', '.tif'],
  ['.tif', '.tiff'],
  ['.heif', '.heic'],
  ['.heic', '.heif'],
]);

function withOtherEnding(file: string): string | null {
  const [stem, extension] = splitExtension(file);
  const other = OTHER_ENDINGS.get(extension.toLowerCase());
  return other === undefined ? null : stem + other;
}

/**
 * What a name may mean, as it is first: without blanks at its ends, with the other system's slashes and drive; an address without its host, its
 * query (a presigned one) and its fragment; what per cent signs stand for.
 */
export function spellingsOf(file: string): string[] {
  const found = [file];
  if (file.length > MAX_NAME_CHARACTERS) return found;
  const add = (spelling: string) => {
    if (spelling !== '' && !found.includes(spelling)) found.push(spelling);
  };
  add(file.replaceAll('\\', '/').replace(/^[A-Za-z]:\//, '/'));
  add(file.trim());
  const query = /^([^?#]+\.[a-z0-9]{2,5})[?#]/i.exec(file);
  if (query !== null) add(query[1]);
  const address = /^[a-z][a-z0-9+.-]+:\/\/[^/]*\/([^?#]*)/i.exec(file);
  if (address !== null) add(address[1]);
  for (const spelling of [...found])
    if (spelling.includes('%')) add(decoded(spelling.replace(/^[a-z][a-z0-9+.-]+:\/\/[^/]*\//i, '')));
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A per cent sign that stands for itself.
    return text;
  }
}

/**
 * `a/b/c.jpg` is `c.jpg\0b\0a\0`: equal ends are equal beginnings, and a component never ends inside another. The mark
 * between an archive and its member (`set.zip!/a.jpg`) does not count: exports have a folder of the archive's name.
 */
function keyOf(path: string): string {
  const parts = path.replace(/(\.(?:zip|cbz|tar|tgz|tar\.gz))!(?=\/)/gi, '$1').split('/');
  const named = parts.filter((part) => part !== '' && part !== '.');
  return named.length === 0 ? '' : `${named.reverse().join('\0')}\0`;
}

/** What names are compared by: as it is, but for letters' case and accents' form. */
function folded(key: string): string {
  return key.normalize('NFC').toLowerCase();
}

function firstComponents(key: string, count: number): string {
  return `${key.split('\0', count).join('\0')}\0`;
}

function pathOfKey(key: string): string {
  return key.split('\0').reverse().join('/');
}

function nameOfKey(key: string): string {
  return key.slice(0, key.indexOf('\0'));
}

function componentsIn(key: string): number {
  return key.split('\0').length - 1;
}

/** Characters of the whole components that both begin with. */
function sharedEnd(a: string, b: string | undefined): number {
  if (b === undefined) return 0;
  let shared = 0;
  for (let i = 0; i < a.length && a[i] === b[i]; i++) if (a[i] === '\0') shared = i + 1;
  return shared;
}
