/**
 * The sample of a large pile with its vectors, and where it stands on the data map, among the blobs of the workspace: so that
 * not every process that takes part reads all vectors for it, and lays it out again. What is not there, or damaged, is made again.
 */
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from '../../blobs/described-blob.ts';
import type { Hold } from '../../blobs/held-blobs.ts';
import { sha256Hex } from '../../core/ids.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { VectorShard } from '../../store/store.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Sample } from './sample.ts';

const SAMPLE_HEADER = z.object({ ids: z.array(z.string()), columns: z.int().positive(), sha256: z.string() });
const SAMPLE: BlobKind<z.infer<typeof SAMPLE_HEADER>> = { version: 1, header: SAMPLE_HEADER };

const LAYOUT_HEADER = z.object({ usualDistance: z.number(), sha256: z.string() });
const LAYOUT: BlobKind<z.infer<typeof LAYOUT_HEADER>> = { version: 1, header: LAYOUT_HEADER };

/** All that holds vectors of items, but for their files. */
export const SAMPLES_FOLDER = 'samples/';
const SAMPLE_ENDING = '.sample';
const LAYOUT_ENDING = '.layout';

type Sampled = Pick<ClusterModel, 'space' | 'meanKey' | 'sample' | 'seed'>;

/** Names a sample by all that decides its vectors and places: with other files of vectors it is another. */
export function keptKey({ space, meanKey, sample, seed }: Sampled, files: readonly VectorShard[]): string {
  const decidedBy = [space, meanKey, seed, ...sample, ...files.map(({ sha256 }) => sha256)];
  return sha256Hex(decidedBy.join('\n')).slice(0, 32);
}

export interface KeepingSample {
  readonly sample: Sample;
  readonly layout: SampleLayout;
  readonly hold: Hold;
  /** Whether the vectors are still in the record that it is of: `forget` may have taken some out meanwhile. */
  readonly isCurrent: () => Promise<boolean>;
}

/** Keeps it in the place of every other; those that somebody works from are put again by whoever holds them. */
export async function keepForOthers(
  blobs: BlobStore,
  key: string,
  { sample, layout, hold, isCurrent }: KeepingSample,
): Promise<void> {
  const holdCurrent = (path: string, put: () => Promise<void>) =>
    hold(path, async () => {
      if (!(await isCurrent())) return;
      await put();
      // `forget` changes the record before it drops what is kept: either it drops this, or the change is seen here.
      if (!(await isCurrent())) await blobs.delete(path);
    });
  await dropKeptSamples(blobs);
  await holdCurrent(pathOf(key, SAMPLE_ENDING), () => keepSample(blobs, key, sample));
  await holdCurrent(pathOf(key, LAYOUT_ENDING), () => keepLayout(blobs, key, layout));
}

function pathOf(key: string, ending: string): string {
  return `${SAMPLES_FOLDER}${key}${ending}`;
}

/** For items that are forgotten too: what is kept holds their vectors. */
export async function dropKeptSamples(blobs: Pick<BlobStore, 'list' | 'delete'>): Promise<void> {
  for await (const { key } of blobs.list(SAMPLES_FOLDER)) await blobs.delete(key);
}

async function keepSample(
  blobs: Pick<BlobStore, 'put'>,
  key: string,
  { ids, vectors, fromMean }: Sample,
): Promise<void> {
  const bytes = Buffer.concat([bytesOf(vectors.data), bytesOf(fromMean)]);
  const header = { ids: [...ids], columns: vectors.columns, sha256: sha256Hex(bytes) };
  await putDescribed(blobs, pathOf(key, SAMPLE_ENDING), SAMPLE, { header, bytes });
}

/** Keeps one that others work from while something lasts. */
export function holdSample(blobs: Pick<BlobStore, 'put'>, key: string, sample: Sample, hold: Hold): Promise<void> {
  return hold(pathOf(key, SAMPLE_ENDING), () => keepSample(blobs, key, sample));
}

/** What cannot be deleted now goes with the next samples that do. */
export async function dropSample(blobs: Pick<BlobStore, 'delete'>, key: string): Promise<void> {
  await blobs.delete(pathOf(key, SAMPLE_ENDING)).catch(() => {});
}

export async function keptSample(blobs: Pick<BlobStore, 'get'>, key: string): Promise<Sample | undefined> {
  const found = await getDescribed(blobs, pathOf(key, SAMPLE_ENDING), SAMPLE);
  if (found === undefined) return undefined;
  const { ids, columns, sha256 } = found.header;
  const numbers = floatsOf(found.bytes, ids.length * (columns + 1), sha256);
  if (numbers === undefined) return undefined;
  const vectors = newSharedMatrix(ids.length, columns);
  vectors.data.set(numbers.subarray(0, vectors.data.length));
  return { ids, vectors, fromMean: numbers.slice(vectors.data.length) };
}

/** Where a sample stands on the data map. */
export interface SampleLayout {
  /** Shape [sample, 2]. */
  readonly places: Float32Array;
  /** Median over the sample of the mean distance to an item's neighbours. */
  readonly usualDistance: number;
}

async function keepLayout(
  blobs: Pick<BlobStore, 'put'>,
  key: string,
  { places, usualDistance }: SampleLayout,
): Promise<void> {
  const bytes = bytesOf(places);
  const header = { usualDistance, sha256: sha256Hex(bytes) };
  await putDescribed(blobs, pathOf(key, LAYOUT_ENDING), LAYOUT, { header, bytes });
}

/** @param items of the sample */
export async function keptLayout(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  items: number,
): Promise<SampleLayout | undefined> {
  const found = await getDescribed(blobs, pathOf(key, LAYOUT_ENDING), LAYOUT);
  const places = found && floatsOf(found.bytes, 2 * items, found.header.sha256);
  return places && { places, usualDistance: found.header.usualDistance };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A copy; undefined where they are not so many, or others than were written. */
function floatsOf(bytes: Uint8Array, count: number, sha256: string): Float32Array | undefined {
  if (bytes.length !== 4 * count || sha256Hex(bytes) !== sha256) return undefined;
  return new Float32Array(new Uint8Array(bytes).buffer);
}
