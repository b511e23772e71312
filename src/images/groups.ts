/**
 * Groups: images that must stay on one side of any split, since knowing one is knowing the other. Joined are
 * near-duplicates, copies (mirrored, turned, cropped, or as they lie, with looks changed more), bursts (one camera, moments
 * apart, alike) and sequences (numbered frames that follow each other, alike). Pages of one layout are alike as a whole:
 * pictures belong together only if they also agree in every part (`copies/detail.ts`).
 *
 * Independent of the order of the rows and of the number of threads. Memory: about 600 bytes an image at its peak and its print of 2 KB, so
 * 2.6 GB for a million, in typed arrays; ids become text only where somebody asks for them.
 */
import type { ImageId } from '../core/ids.ts';
import { PRINT_CELLS } from '../core/image.ts';
import { COPY_LIMITS, PrintComparer } from './copies/compare.ts';
import { findCopies } from './copies/find-copies.ts';
import { isPage, PRINT_BYTES } from './copies/print.ts';
import { NO_PRINT, newPiece, PRINTS_A_PIECE, printColumns, type SharedPrints } from './copies/prints.ts';
import { findNearDuplicates, type HashColumns, MAX_LOG_ASPECT_DIFFERENCE } from './duplicates.ts';
import { popcount } from './hash.ts';

export interface GroupRow {
  /** 64 hexadecimal digits. */
  readonly id: ImageId;
  /** 16 hexadecimal digits. */
  readonly perceptualHash: string;
  /** Of the upright image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly capturedAtMs: number | null;
  readonly camera: string | null;
  /** Where the image is; any one of its paths, the same one at every run. */
  readonly path: string;
  /** The group it was in so far. */
  readonly groupId: ImageId;
  /** See `copies/print.ts`; images of before there were prints are compared by their hashes alone. */
  readonly print?: Uint8Array;
}

/** Two images that were found to belong together, `a` < `b`. */
export interface SimilarImages {
  readonly a: ImageId;
  readonly b: ImageId;
  readonly kind: 'near-duplicate' | 'burst' | 'sequence' | 'copy';
  /** Hamming distance of the perceptual hashes. */
  readonly distance: number;
}

export interface Groups {
  /** Groups of two or more, and images that are in one. */
  readonly groupCount: number;
  readonly groupedImages: number;
  readonly pairCount: number;
  /**
   * Those pairs that joined two groups, so never more than there are images: a forest that spans the groups, in order of
   * (a, b).
   */
  pairs(): Generator<SimilarImages>;
  /** Images whose group is another one now, with the smallest id of that group (its own where it is alone). */
  changes(): Generator<readonly [id: ImageId, groupId: ImageId]>;
  /** Buckets too full to compare everything in, see `duplicates.ts`; 0 says that no near-duplicate was overlooked. */
  readonly overfullBuckets: number;
}

export interface GroupOptions {
  /** As in `findNearDuplicates` (default 7). */
  readonly maxDistance?: number;
  /**
   * Most milliseconds between two shots of a burst (default 2000). Cameras write whole seconds, so less than 1000 finds
   * only shots of one second.
   */
  readonly burstMs?: number;
  /** Most bits that may differ within a burst (default 20); different pictures differ in 32 and seldom in fewer than 20. */
  readonly burstDistance?: number;
  /**
   * Most bits that may differ between frames that follow each other (default 14). Data sets number unrelated pictures as
   * well: of 1,387 neighbours in caltech-30, 4 are this close.
   */
  readonly sequenceDistance?: number;
  /** That look for copies where there are many images (default 1). */
  readonly threads?: number;
  /** Who looks for what is alike among many images. Default: this thread and its own. */
  readonly search?: AlikeSearch;
}

/** The two searches that take long. Whoever does them, what they find is the same, in the same order. */
export interface AlikeSearch {
  /** As {@link findNearDuplicates}. */
  nearDuplicates(columns: HashColumns, onPair: (i: number, j: number, distance: number) => void): Promise<number>;
  /** As {@link findCopies}. */
  copies(prints: SharedPrints, roots: Uint32Array): Promise<Uint32Array>;
}

export async function computeGroups(rows: GroupTable, options: GroupOptions = {}): Promise<Groups> {
  const table = rows.inOrder();
  const { high, low, logAspect, ids, groupIds, count } = table;
  const { print } = printColumns(table.prints);
  const { forest, rootOf } = forestOf(count);
  const areOthers = detailJudge();
  // Index of a, of b, kind and distance: shape [count, 4], of which `pairCount` rows are filled.
  const found = new Uint32Array(count * 4);
  let pairCount = 0;
  const distanceOf = (i: number, j: number) => popcount(high[i] ^ high[j]) + popcount(low[i] ^ low[j]);
  const join = (i: number, j: number, kind: SimilarImages['kind']) => {
    const [a, b] = [rootOf(i), rootOf(j)];
    if (a === b || (kind !== 'copy' && areOthers(kind, print(i), print(j)))) return;
    // Rows are in order of id, so the smaller index is the smaller id.
    forest[Math.max(a, b)] = Math.min(a, b);
    found.set([Math.min(i, j), Math.max(i, j), KINDS.indexOf(kind), distanceOf(i, j)], 4 * pairCount++);
  };

  const { maxDistance, threads = 1 } = options;
  const search: AlikeSearch = options.search ?? {
    nearDuplicates: async (columns, onPair) => findNearDuplicates(columns, onPair, { maxDistance }),
    copies: (prints, roots) => findCopies(prints, roots, threads),
  };
  const overfullBuckets = await search.nearDuplicates({ high, low, logAspect }, (i, j) => join(i, j, 'near-duplicate'));
  // Before bursts and sequences, which join copies too: what counts once in a clustering must be told from frames that may
  // show one thing after another. What is compared must not depend on which copies were found before it.
  const roots = Uint32Array.from(forest, (_, i) => rootOf(i));
  const copies = await search.copies(table.prints, roots);
  for (let at = 0; at < copies.length; at += 2) join(copies[at], copies[at + 1], 'copy');

  const alike = (i: number, j: number, most: number) =>
    distanceOf(i, j) <= most && Math.abs(logAspect[i] - logAspect[j]) <= MAX_LOG_ASPECT_DIFFERENCE;

  const { camera, capturedAtMs, sequence, frame } = table;
  const burstMs = options.burstMs ?? 2000;
  for (const [i, j] of neighbours(camera, capturedAtMs)) {
    const apartMs = capturedAtMs[j] - capturedAtMs[i];
    if (apartMs <= burstMs && alike(i, j, options.burstDistance ?? 20)) join(i, j, 'burst');
  }
  for (const [i, j] of neighbours(sequence, frame)) {
    const follows = frame[j] - frame[i] === 1;
    // Frames of one video have one size to the pixel.
    const sameSize = table.width[i] === table.width[j] && logAspect[i] === logAspect[j];
    if (follows && sameSize && distanceOf(i, j) <= (options.sequenceDistance ?? 14)) join(i, j, 'sequence');
  }

  const order = new Uint32Array(pairCount);
  for (let at = 0; at < pairCount; at++) order[at] = at;
  order.sort((x, y) => found[4 * x] - found[4 * y] || found[4 * x + 1] - found[4 * y + 1]);
  const grouped = new Uint8Array(count);
  for (let i = 0; i < count; i++) if (rootOf(i) !== i) grouped[i] = grouped[rootOf(i)] = 1;
  const groupedImages = grouped.reduce((sum, one) => sum + one, 0);

  return {
    // A forest has as many trees as nodes less edges.
    groupCount: groupedImages - pairCount,
    groupedImages,
    pairCount,
    *pairs() {
      for (const at of order) {
        const [i = 0, j = 0, kind = 0, distance = 0] = found.subarray(4 * at, 4 * at + 4);
        yield { a: idAt(ids, i), b: idAt(ids, j), kind: KINDS[kind], distance };
      }
    },
    *changes() {
      for (let i = 0; i < count; i++) {
        const root = rootOf(i);
        if (ids.compare(groupIds, i * 32, i * 32 + 32, root * 32, root * 32 + 32) !== 0) {
          yield [idAt(ids, i), idAt(ids, root)];
        }
      }
    },
    overfullBuckets,
  };
}

/** Every item a tree of its own; whoever joins two writes into `forest` the root of the one below that of the other. */
function forestOf(count: number): { readonly forest: Uint32Array; rootOf(item: number): number } {
  const forest = new Uint32Array(count);
  for (let i = 0; i < count; i++) forest[i] = i;
  const rootOf = (item: number): number => {
    let root = item;
    while (forest[root] !== root) root = forest[root];
    for (let at = item; at !== root; ) {
      const next = forest[at];
      forest[at] = root;
      at = next;
    }
    return root;
  };
  return { forest, rootOf };
}

/** Whether two pictures are others by their details. Frames of a camera may change, unless they are pages. */
function detailJudge() {
  const comparer = new PrintComparer();
  return (kind: SimilarImages['kind'], a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => {
    if (a === undefined || b === undefined) return false;
    if (kind !== 'near-duplicate' && !(isPage(a) && isPage(b))) return false;
    return comparer.detailAsTheyLie(a, b) < COPY_LIMITS.minDetail;
  };
}

const KINDS: readonly SimilarImages['kind'][] = ['near-duplicate', 'burst', 'sequence', 'copy'];

export interface OrderedTable extends HashColumns {
  readonly count: number;
  /** Shape [n, 32]: the ids' bytes, in ascending order. */
  readonly ids: Buffer;
  /** Shape [n, 32]: the groups so far. */
  readonly groupIds: Buffer;
  /** Shape [n]: 0 is unknown; else a number for each camera. */
  readonly camera: Float64Array;
  /** Shape [n]: milliseconds; NaN where unknown. */
  readonly capturedAtMs: Float64Array;
  /** Shape [n]: a 53-bit hash of the path with its last number taken out; 0 where it has none. */
  readonly sequence: Float64Array;
  /** Shape [n]: that number. */
  readonly frame: Float64Array;
  /** Shape [n]: pixels. */
  readonly width: Float64Array;
  readonly prints: SharedPrints;
}

/** Columns of a row while the table grows: high, low, log aspect, camera, captured, sequence, frame, width. */
const COLUMNS = 8;

/** Rows are taken in one by one and kept as numbers, so that no more of them than one need be an object at a time. */
export class GroupTable {
  #ids: Buffer = Buffer.alloc(1024 * 32);
  #groupIds: Buffer = Buffer.alloc(1024 * 32);
  /** Shape [capacity, 8]. */
  #values = new Float64Array(1024 * COLUMNS);
  readonly #cameras = new Map<string, number>();
  /** See {@link SharedPrints}; a row without one has a gap there. */
  readonly #prints: Uint8Array[] = [];
  /** Whether a row has one. */
  #hasPrint = new Uint8Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(row: GroupRow): void {
    if (this.#values.length === this.#count * COLUMNS) this.#grow();
    const at = this.#count * 32;
    if (this.#ids.write(row.id, at, 32, 'hex') !== 32 || this.#groupIds.write(row.groupId, at, 32, 'hex') !== 32) {
      throw new RangeError(`${row.id} or its group ${row.groupId} is not an image id`);
    }
    const { sequence, frame } = numberedPath(row.path);
    const { camera, capturedAtMs } = row;
    this.#values.set(
      [
        Number.parseInt(row.perceptualHash.slice(0, 8), 16),
        Number.parseInt(row.perceptualHash.slice(8, 16), 16),
        Math.log(row.width / row.height),
        camera === null || capturedAtMs === null ? 0 : this.#cameraNumber(camera),
        capturedAtMs ?? Number.NaN,
        sequence,
        frame,
        row.width,
      ],
      this.#count * COLUMNS,
    );
    if (row.print !== undefined) this.#keepPrint(row.print);
    this.#count++;
  }

  #keepPrint(print: Uint8Array): void {
    if (print.length !== PRINT_BYTES && print.length !== PRINT_CELLS)
      throw new RangeError(
        `a print of ${print.length} bytes, expected ${PRINT_BYTES}, or ${PRINT_CELLS} of an earlier version`,
      );
    const piece = Math.floor(this.#count / PRINTS_A_PIECE);
    this.#prints[piece] ??= newPiece();
    this.#prints[piece].set(print, (this.#count % PRINTS_A_PIECE) * PRINT_BYTES);
    this.#hasPrint[this.#count] = 1;
  }

  #grow(): void {
    this.#ids = Buffer.concat([this.#ids], 2 * this.#ids.length);
    this.#groupIds = Buffer.concat([this.#groupIds], 2 * this.#groupIds.length);
    const larger = new Float64Array(2 * this.#values.length);
    larger.set(this.#values);
    this.#values = larger;
    const flags = new Uint8Array(2 * this.#hasPrint.length);
    flags.set(this.#hasPrint);
    this.#hasPrint = flags;
  }

  #cameraNumber(camera: string): number {
    const known = this.#cameras.get(camera);
    if (known !== undefined) return known;
    this.#cameras.set(camera, this.#cameras.size + 1);
    return this.#cameras.size;
  }

  /** The rows as columns, in order of id. */
  inOrder(): OrderedTable {
    const count = this.#count;
    const ids = this.#ids;
    const values = this.#values;
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    // The first six bytes decide for all but crafted ids; comparing 32 bytes each time takes several times as long.
    const prefix = new Float64Array(count);
    for (let i = 0; i < count; i++) prefix[i] = ids.readUIntBE(i * 32, 6);
    order.sort((a, b) => prefix[a] - prefix[b] || ids.compare(ids, b * 32, b * 32 + 32, a * 32, a * 32 + 32));
    const column = <T extends Float64Array | Float32Array | Uint32Array>(into: T, which: number): T => {
      for (let i = 0; i < count; i++) into[i] = values[order[i] * COLUMNS + which];
      return into;
    };
    const sorted = (from: Buffer): Buffer => {
      const into = Buffer.alloc(count * 32);
      for (let i = 0; i < count; i++) from.copy(into, i * 32, order[i] * 32, order[i] * 32 + 32);
      return into;
    };
    const logAspect = column(new Float32Array(count), 2);
    const places = order.map((row) => (this.#hasPrint[row] === 0 ? NO_PRINT : row));
    return {
      count,
      ids: sorted(ids),
      groupIds: sorted(this.#groupIds),
      high: column(new Uint32Array(count), 0),
      low: column(new Uint32Array(count), 1),
      logAspect,
      camera: column(new Float64Array(count), 3),
      capturedAtMs: column(new Float64Array(count), 4),
      sequence: column(new Float64Array(count), 5),
      frame: column(new Float64Array(count), 6),
      width: column(new Float64Array(count), 7),
      prints: { count, pieces: this.#prints, places, logAspect },
    };
  }
}

function idAt(ids: Buffer, i: number): ImageId {
  return ids.toString('hex', i * 32, i * 32 + 32);
}

/** Items next to each other when those with the same non-zero key are put in order of value, and of id where equal. */
function* neighbours(key: Float64Array, value: Float64Array): Generator<readonly [number, number]> {
  const order = new Uint32Array(key.length);
  let known = 0;
  for (let i = 0; i < key.length; i++) if (key[i] !== 0) order[known++] = i;
  const sorted = order.subarray(0, known).sort((a, b) => {
    return key[a] - key[b] || value[a] - value[b] || a - b;
  });
  for (let at = 1; at < known; at++) {
    const [i, j] = [sorted[at - 1], sorted[at]];
    if (key[i] === key[j]) yield [i, j];
  }
}

/** `clip/frame_0012.jpg` → frame 12 of whatever `clip/frame_#.jpg` is. */
function numberedPath(path: string): { sequence: number; frame: number } {
  const found = /^(.*?)(\d{1,15})(\D*)$/s.exec(path.slice(path.lastIndexOf('/') + 1));
  if (found === null) return { sequence: 0, frame: 0 };
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return { sequence: hash53(`${folder}${found[1]}#${found[3]}`), frame: Number(found[2]) };
}

/** Two 32-bit FNV-1a hashes from different starts, cut to 53 bits; never 0. A collision joins nothing by itself. */
function hash53(text: string): number {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x01000193) ^ (b >>> 15);
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) & 0x1fffff) + 1;
}
