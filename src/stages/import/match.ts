/**
 * Finds which stored image a file name of an import or of a truth means.
 *
 * In this order: the path relative to the import's root or the file's folder; the identity, where the format carries it;
 * the longest run of whole path components from the end that some stored path shares, the base name alone being enough
 * where it is unique among stored images and among the names asked for; the SHA-256 of the bytes, where the named file
 * is there to be read. Several paths of one image are one candidate.
 *
 * Paths are kept with their components reversed and sorted, so that what shares an end stands together: building is
 * O(n log n), a look-up O(log n) whatever the names are, a million files called `image.jpg` included.
 * Resident: about twice the length of each path and 16 to 32 bytes a name asked for.
 */
import { posix } from 'node:path';
import { FingerprintSet } from '../../core/fingerprints.ts';
import type { ImageId } from '../../core/ids.ts';
import { IMAGE_EXTENSIONS, isImageName } from '../../formats/walk.ts';

export type Match =
  | { readonly kind: 'matched'; readonly imageId: ImageId; readonly by: 'path' | 'identity' | 'ending' | 'sha256' }
  | { readonly kind: 'ambiguous'; readonly file: string; readonly candidates: readonly string[] }
  | { readonly kind: 'unmatched'; readonly file: string };

/** Named in an ambiguous match. */
const MAX_CANDIDATES = 5;

export class FileMatcher {
  readonly #roots: readonly string[];
  /** Reversed paths, sorted; `#ids` in the same order. */
  readonly #keys: string[] = [];
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
    const entries: { key: string; id: ImageId }[] = [];
    const known = new Set<ImageId>();
    for (const { imageId, path } of stored) {
      entries.push({ key: keyOf(path), id: imageId });
      known.add(imageId);
    }
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id < b.id ? -1 : 1));
    for (const { key, id } of entries) {
      this.#keys.push(key);
      this.#ids.push(id);
    }
    this.#known = known;
  }

  /** To be called for every file before the first `match`, so that a base name that two files share decides nothing. */
  expect(file: string): void {
    const key = keyOf(file);
    if (!this.#askedFiles.add(key)) return;
    const name = nameOfKey(key);
    if (!this.#askedNames.add(name)) this.#sharedNames.add(name);
  }

  /** @param identity the image's id, where the format carries it */
  match(file: string, identity?: ImageId): Match {
    for (const candidate of spellings(file)) {
      const exact = this.#exact(candidate);
      if (exact !== null) return { kind: 'matched', imageId: exact, by: 'path' };
    }
    if (identity !== undefined && this.#known.has(identity))
      return { kind: 'matched', imageId: identity, by: 'identity' };
    let ambiguous: Match | null = null;
    for (const candidate of spellings(file)) {
      const match = this.#byEnding(candidate, file);
      if (match.kind === 'matched') return match;
      if (match.kind === 'ambiguous') ambiguous ??= match;
    }
    return ambiguous ?? { kind: 'unmatched', file };
  }

  /** The last resort for what `match` did not find. */
  matchBytes(file: string, sha256: ImageId): Match {
    if (this.#known.has(sha256)) return { kind: 'matched', imageId: sha256, by: 'sha256' };
    return { kind: 'unmatched', file };
  }

  #exact(file: string): ImageId | null {
    const at = (path: string): ImageId | null => {
      const key = keyOf(path);
      const found = this.#lowerBound(key);
      return this.#keys[found] === key ? this.#ids[found] : null;
    };
    if (file.startsWith('/')) return at(file);
    const [own, ...others] = this.#roots.map((root) => at(posix.join(root, file)));
    if (own) return own;
    const found = new Set(others.filter((id) => id !== null));
    return found.size === 1 ? [...found][0] : null;
  }

  #byEnding(file: string, asked: string): Match {
    const key = keyOf(file);
    const at = this.#lowerBound(key);
    const shared = Math.max(sharedEnd(key, this.#keys[at]), sharedEnd(key, this.#keys[at - 1]));
    if (shared === 0) return this.#byStem(file, asked);
    const ending = key.slice(0, shared);
    const first = this.#lowerBound(ending);
    const imageId = this.#ids[first];
    const others: string[] = [];
    for (let i = first; this.#keys[i]?.startsWith(ending) && others.length < MAX_CANDIDATES - 1; i++)
      if (this.#ids[i] !== imageId) others.push(pathOfKey(this.#keys[i]));
    if (others.length > 0)
      return { kind: 'ambiguous', file: asked, candidates: [pathOfKey(this.#keys[first]), ...others] };
    const nameOnly = ending === `${nameOfKey(key)}\0`;
    // The file says more than its base name and the stored path says otherwise: fine unless others ask for it too.
    if (nameOnly && ending !== key && this.#sharedNames.has(nameOfKey(key))) return { kind: 'unmatched', file: asked };
    return { kind: 'matched', imageId, by: 'ending' };
  }

  /** A name with no image's extension, as label files give it, means the image with that stem. */
  #byStem(file: string, asked: string): Match {
    if (isImageName(file)) return { kind: 'unmatched', file: asked };
    const matches: { match: Match; shared: number }[] = [];
    for (const extension of [...IMAGE_EXTENSIONS, ...IMAGE_EXTENSIONS.map((lower) => lower.toUpperCase())]) {
      const key = keyOf(file + extension);
      const at = this.#lowerBound(key);
      const shared = Math.max(sharedEnd(key, this.#keys[at]), sharedEnd(key, this.#keys[at - 1]));
      if (shared === 0) continue;
      matches.push({ match: this.#byEnding(file + extension, asked), shared: componentsIn(key.slice(0, shared)) });
    }
    const most = Math.max(...matches.map(({ shared }) => shared));
    const best = matches.filter(({ shared }) => shared === most).map(({ match }) => match);
    if (best.length === 1) {
      const [match] = best as [Match];
      const name = nameOfKey(keyOf(file));
      const decided = match.kind !== 'matched' || most > 1 || !this.#sharedNames.has(name) || !file.includes('/');
      return decided ? match : { kind: 'unmatched', file: asked };
    }
    if (best.length === 0) return { kind: 'unmatched', file: asked };
    const candidates = best
      .flatMap((match) => (match.kind === 'ambiguous' ? match.candidates : []))
      .slice(0, MAX_CANDIDATES);
    return { kind: 'ambiguous', file: asked, candidates };
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

/** As it is, and with the other system's slashes. */
function spellings(file: string): string[] {
  return file.includes('\\') ? [file, file.replaceAll('\\', '/')] : [file];
}

/** `a/b/c.jpg` is `c.jpg\0b\0a\0`: equal ends are equal beginnings, and a component never ends inside another. */
function keyOf(path: string): string {
  const parts = path.normalize('NFC').split('/');
  const named = parts.filter((part) => part !== '' && part !== '.');
  return named.length === 0 ? '' : `${named.reverse().join('\0')}\0`;
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
