/**
 * Chooses the pictures of each class: by what the images look like to the model where there are embeddings, else by their
 * perceptual hashes among the most confident ones.
 */
import type { ImageId, ItemId } from '../core/ids.ts';
import type { ItemKind } from '../core/labels.ts';
import { hammingDistance } from '../images/hash.ts';
import { dot } from '../math/dot.ts';
import { typicalAndVaried } from './exemplars.ts';
import type { ClassTally } from './image-pass.ts';
import type { Exemplar } from './report-data.ts';

/** Vectors of length 1 of those items that have one. */
export type ReadVectors = (items: ItemKind, ids: readonly ItemId[]) => Promise<ReadonlyMap<ItemId, Float32Array>>;
export type ReadHashes = (ids: readonly ImageId[]) => Promise<ReadonlyMap<ImageId, string>>;

/** Vectors held at once: 4 kB each with the default model. */
const MAX_VECTORS = 20_000;
/** A sample in which fewer than this many have a vector says little. */
const MIN_WITH_VECTORS = 4;

/** The chosen ones of each class, most typical first, in the order of the classes. */
export async function chooseTypical(
  classes: readonly ClassTally[],
  places: number,
  readVectors: ReadVectors,
  readHashes: ReadHashes,
): Promise<Exemplar[][]> {
  const share = Math.max(MIN_WITH_VECTORS, Math.floor(MAX_VECTORS / Math.max(1, classes.length)));
  const samples = classes.map(({ sample }) => sample.list().slice(0, share));
  const all = samples.flat();
  const regionVectors = await readVectors(
    'regions',
    all.flatMap(({ regions }) => (regions[0] ? [regions[0].id] : [])),
  );
  const imageVectors = await readVectors('images', [...new Set(all.map(({ imageId }) => imageId))]);
  const chosen: (Exemplar[] | null)[] = samples.map((sample) => {
    const ofRegions = sample.flatMap((exemplar) => withVector(exemplar, regionVectors, exemplar.regions[0]?.id));
    const known =
      ofRegions.length >= MIN_WITH_VECTORS
        ? ofRegions
        : sample.flatMap((exemplar) => withVector(exemplar, imageVectors, exemplar.imageId));
    if (known.length < Math.min(sample.length, MIN_WITH_VECTORS)) return null;
    const least = medianConfidence(known.map(({ exemplar }) => exemplar));
    return typicalAndVaried(
      known.length,
      (i, j) => (1 + dot(known[i].vector, known[j].vector)) / 2,
      places,
      // What is unlikely to be of the class does not stand for it.
      (i) => (known[i].exemplar.confidence ?? 1) >= least,
    ).map((i) => known[i].exemplar);
  });
  const withoutVectors = classes.map((tally, i) => (chosen[i] ? [] : tally.best.list()));
  const hashes = await readHashes([...new Set(withoutVectors.flat().map(({ imageId }) => imageId))]);
  return chosen.map((list, c) => {
    if (list) return list;
    const best = withoutVectors[c];
    const hashOf = (i: number) => hashes.get(best[i].imageId) ?? '0'.repeat(16);
    const near = (i: number, j: number) => 1 - hammingDistance(hashOf(i), hashOf(j)) / 64;
    return typicalAndVaried(best.length, near, places).map((i) => best[i]);
  });
}

interface Known {
  readonly exemplar: Exemplar;
  readonly vector: Float32Array;
}

function withVector(exemplar: Exemplar, vectors: ReadonlyMap<ItemId, Float32Array>, id: ItemId | undefined): Known[] {
  const vector = id === undefined ? undefined : vectors.get(id);
  return vector ? [{ exemplar, vector }] : [];
}

function medianConfidence(exemplars: readonly Exemplar[]): number {
  const sorted = exemplars.map(({ confidence }) => confidence ?? 1).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
