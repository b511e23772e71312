/**
 * Vectors in Arrow files: `vectors/SPACE/HASH.arrow`, SPACE a hash of the space and the kind of items, HASH that of the
 * file's bytes. Where the files are is a port: a folder (`folder-vectors.ts`), or blobs (`blob-vectors.ts`).
 */
import { type ItemId, sha256Hex } from '../core/ids.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { type Matrix, newSharedMatrix } from '../math/matrix.ts';
import type { VectorShard } from '../store/store.ts';
import { ID_LENGTH, MAX_SHARD_ROWS, type NewVectorShard, type VectorStore, type Vectors } from './vector-store.ts';

export const VECTORS_FOLDER = 'vectors';

/** Files by their place in the workspace, `vectors/…`. */
export interface VectorFiles {
  /** The workspace, for messages. */
  readonly place: string;
  /** Fails where it is not there. */
  read(file: string): Promise<Uint8Array>;
  /** Whole, and on disk, when it resolves. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  /** What is not there is fine. */
  remove(files: readonly string[]): Promise<void>;
  /** Deletes every file of vectors that is not named; returns how many. */
  removeOthers(named: ReadonlySet<string>): Promise<number>;
}

/** Loaded with the first vectors: most commands have none, and Arrow is the largest of the libraries. */
const arrowFile = () => import('./arrow-file.ts');

export function vectorStoreOver(files: VectorFiles): VectorStore {
  const read = async (shard: VectorShard): Promise<Vectors> => {
    const { decodeVectors } = await arrowFile();
    const found = decodeVectors(await readChecked(files, shard), shard.file);
    return checkAgainst(shard, found);
  };
  return {
    write: (shard) => writeShard(files, shard),
    read,
    readFile: (shard) => readChecked(files, shard),
    async adopt(shard, bytes) {
      await files.write(placeOf(files, shard), bytes);
    },
    async *stream(shards) {
      for (const shard of shards) yield await read(shard);
    },
    readAll: (shards) => readAll(shards, read),
    lookup: (shards, ids) => lookup(shards, ids, async (shard) => partOf(await read(shard), 'vectors')),
    lookupVotes: (shards, ids) => lookup(shards, ids, async (shard) => partOf(await read(shard), 'votes')),
    async remove(shards) {
      await files.remove([...shards].map((shard) => placeOf(files, shard)));
    },
    prune: (keep) => files.removeOthers(new Set([...keep].map(({ file }) => file))),
  };
}

/** Where a record says that a file is. The record may be somebody else's, so it is asked for a name that is given here. */
function placeOf({ place }: VectorFiles, { file }: VectorShard): string {
  const [folder, ...rest] = file.split('/');
  if (folder !== VECTORS_FOLDER || rest.length !== 2 || !file.endsWith('.arrow')) {
    throw new LabelsmithError('WORKSPACE', `${JSON.stringify(file)} is no place of vectors in ${place}`, {
      hint: 'The workspace was damaged, or made by somebody to reach other files. Nothing outside of it is touched.',
    });
  }
  return file;
}

async function writeShard(files: VectorFiles, shard: NewVectorShard): Promise<VectorShard> {
  checkShard(shard);
  const { encodeVectors } = await arrowFile();
  const bytes = encodeVectors(shard);
  const sha256 = sha256Hex(bytes);
  const folder = sha256Hex(`${shard.space}\n${shard.items}`).slice(0, 16);
  const file = `${VECTORS_FOLDER}/${folder}/${sha256.slice(0, 32)}.arrow`;
  await files.write(file, bytes);
  return {
    space: shard.space,
    items: shard.items,
    shard: shard.shard,
    file,
    sha256,
    count: shard.ids.length,
    firstId: shard.ids[0],
    lastId: shard.ids.at(-1) as ItemId,
    runId: shard.runId,
  };
}

function checkShard({ shard, items, ids, vectors, votes, precision = 'float16' }: NewVectorShard): void {
  const wrong = (what: string) => new LabelsmithError('UNSUPPORTED', `shard ${shard} of vectors ${what}`);
  if (ids.length < 1 || ids.length > MAX_SHARD_ROWS) {
    throw wrong(`has ${ids.length} items, expected 1 to ${MAX_SHARD_ROWS}`);
  }
  if (ids.length !== vectors.rows) throw wrong(`has ${ids.length} ids and ${vectors.rows} vectors`);
  if (votes && votes.rows !== ids.length) throw wrong(`has ${ids.length} ids and votes on ${votes.rows}`);
  if (votes?.data.some((value) => !Number.isFinite(value))) throw wrong('has votes that are no numbers');
  for (const [i, id] of ids.entries()) {
    if (id.length !== ID_LENGTH[items]) throw wrong(`has ${id} as an id of ${items}`);
    if (i > 0 && id <= ids[i - 1]) throw wrong(`has its ids out of order or twice at ${id}`);
  }
  const most = precision === 'float16' ? 65_504 : Number.MAX_VALUE;
  const bad = vectors.data.findIndex((value) => !(Math.abs(value) <= most));
  if (bad < 0) return;
  const id = ids[Math.floor(bad / vectors.columns)];
  throw new LabelsmithError(
    'BAD_MODEL',
    `the vector of ${id} has ${vectors.data[bad]} in it at ${bad % vectors.columns}`,
    {
      hint: `The model gives numbers that ${precision} cannot hold; try another output of it, or scaled vectors.`,
    },
  );
}

/** What makes vectors again: an embedder, or whatever guessed the labels of a task. */
function remedyOf({ space, items }: VectorShard): string {
  const [kind, task] = space.split(':');
  if (kind === 'guesses') {
    return `Run again what labelled the task "${task}": labelsmith teach rounds, match, or classify.`;
  }
  return `Run labelsmith embed${items === 'regions' ? ' --items regions' : ''}: it makes again what is missing.`;
}

async function readChecked(files: VectorFiles, shard: VectorShard): Promise<Uint8Array> {
  const { file, sha256 } = shard;
  const place = placeOf(files, shard);
  let bytes: Uint8Array;
  try {
    bytes = await files.read(place);
  } catch (cause) {
    if (cause instanceof LabelsmithError && cause.code !== 'NOT_FOUND') throw cause;
    const why = systemCodeOf(cause) ?? messageOf(cause);
    throw new LabelsmithError('NOT_FOUND', `the vectors in ${file} cannot be read (${why})`, {
      cause,
      hint: remedyOf(shard),
      // Whoever planned with the file has to plan anew with what is left.
      details: { scope: 'run', file },
    });
  }
  if (sha256Hex(bytes) !== sha256) {
    throw new LabelsmithError('BAD_FILE', `the vectors in ${file} are not those that were written`, {
      hint: `The file was changed or damaged. ${remedyOf(shard)}`,
    });
  }
  return bytes;
}

function checkAgainst(shard: VectorShard, found: Vectors): Vectors {
  if (found.ids.length === shard.count) return found;
  throw new LabelsmithError('BAD_FILE', `${shard.file} has ${found.ids.length} vectors, expected ${shard.count}`);
}

async function readAll(
  shards: readonly VectorShard[],
  read: (shard: VectorShard) => Promise<Vectors>,
): Promise<Vectors> {
  const rows = shards.reduce((sum, { count }) => sum + count, 0);
  const ids: ItemId[] = [];
  let all = newSharedMatrix(0, 0);
  for (const shard of shards) {
    const part = await read(shard);
    const { columns } = part.vectors;
    if (ids.length === 0) all = newSharedMatrix(rows, columns);
    if (columns !== all.columns) {
      throw new LabelsmithError('BAD_FILE', `${shard.file} has vectors of ${columns} numbers, others ${all.columns}`);
    }
    all.data.set(part.vectors.data, ids.length * columns);
    for (const id of part.ids) ids.push(id);
  }
  sortRows(ids, all.data, all.columns);
  return { ids, vectors: all };
}

/** Sorts ids and moves the rows with them in place, along the cycles of the permutation. */
function sortRows(ids: ItemId[], data: Float32Array, columns: number): void {
  if (ids.every((id, i) => i === 0 || ids[i - 1] < id)) return;
  const from = Uint32Array.from(ids, (_, i) => i).sort((a, b) => (ids[a] < ids[b] ? -1 : 1));
  const first = new Float32Array(columns);
  const done = new Uint8Array(ids.length);
  for (let start = 0; start < ids.length; start++) {
    if (done[start]) continue;
    const firstId = ids[start];
    first.set(data.subarray(start * columns, (start + 1) * columns));
    let to = start;
    for (let next = from[to]; next !== start; next = from[to]) {
      data.copyWithin(to * columns, next * columns, (next + 1) * columns);
      ids[to] = ids[next];
      done[to] = 1;
      to = next;
    }
    data.set(first, to * columns);
    ids[to] = firstId;
    done[to] = 1;
  }
}

interface Rows {
  readonly ids: readonly ItemId[];
  readonly rows: Matrix;
}

function partOf(shard: Vectors, part: 'vectors' | 'votes'): Rows | undefined {
  const rows = shard[part];
  return rows && { ids: shard.ids, rows };
}

async function lookup(
  shards: Iterable<VectorShard>,
  ids: Iterable<ItemId>,
  read: (shard: VectorShard) => Promise<Rows | undefined>,
): Promise<Map<ItemId, Float32Array>> {
  const wanted = [...new Set(ids)].sort();
  const found = new Map<ItemId, Float32Array>();
  for (const shard of shards) {
    if (!wanted.some((id) => id >= shard.firstId && id <= shard.lastId)) continue;
    const part = await read(shard);
    if (!part) continue;
    const { data, columns } = part.rows;
    const rowOf = new Map(part.ids.map((id, row) => [id, row]));
    for (const id of wanted) {
      const row = rowOf.get(id);
      if (row !== undefined) found.set(id, Float32Array.from(data.subarray(row * columns, (row + 1) * columns)));
    }
  }
  return found;
}
