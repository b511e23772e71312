/**
 * `search`: the images that words describe best. Reads every vector once and holds a cosine an image (4 bytes) and the best few.
 */
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type Neighbours, noNeighbours, offer } from '../../math/knn/neighbours.ts';
import { cosinesTo, openWords, type Spread, spreadOf, standingOut } from './words.ts';

export interface SearchOptions {
  /** How many (default 10). */
  readonly n: number;
  readonly threads: number;
}

export interface FoundImage {
  readonly id: string;
  /** The first path that is still there. */
  readonly path: string;
  /** Cosine of the image to the words, −1 to 1: of these models' pairs it is small where they fit, too. */
  readonly similarity: number;
  /** How many spreads it is above the middle of the pile; 3 and more is rare. */
  readonly standsOut: number;
}

export interface SearchResult {
  readonly query: string;
  readonly model: string;
  /** Images that were compared. */
  readonly images: number;
  readonly found: readonly FoundImage[];
}

export async function searchFor(workspace: Workspace, query: string, options: SearchOptions): Promise<SearchResult> {
  const { store, vectors } = workspace;
  const text = query.trim();
  if (text === '') throw new LabelsmithError('USAGE', 'There are no words to search for.');
  const { recipe, shards, encoder } = await openWords(workspace, 'images', options);
  const words = await encoder.encode([text]).finally(() => encoder.close());
  const all = new Float32Array(shards.reduce((sum, { count }) => sum + count, 0));
  const best = noNeighbours(1, Math.min(options.n, Math.max(1, all.length)));
  const ids: string[] = [];
  let at = 0;
  for await (const part of vectors.stream(shards)) {
    const cosines = cosinesTo(words, part.vectors);
    all.set(cosines, at);
    at += cosines.length;
    for (const [row, cosine] of cosines.entries()) {
      if (isAmong(best, cosine)) offer(best, 0, ids.push(part.ids[row]) - 1, cosine);
    }
  }
  const spread = spreadOf(all.subarray(0, at));
  return { query: text, model: recipe.model, images: at, found: await named(store, best, ids, spread) };
}

/** Whether a cosine would be among the best, so that no id is kept of the others. */
function isAmong({ indices, similarities }: Neighbours, cosine: number): boolean {
  const last = indices.length - 1;
  return indices[last] < 0 || cosine >= similarities[last];
}

async function named(
  store: Pick<Workspace['store'], 'pathsOfImages'>,
  { indices, similarities }: Neighbours,
  ids: readonly string[],
  spread: Spread,
): Promise<FoundImage[]> {
  const there = [...indices].flatMap((index, i) => (index < 0 ? [] : [{ id: ids[index], cosine: similarities[i] }]));
  const paths = await store.pathsOfImages(there.map(({ id }) => id));
  return there.map(({ id, cosine }) => ({
    id,
    path: paths.get(id)?.[0]?.path ?? id,
    similarity: rounded(cosine),
    standsOut: rounded(standingOut(cosine, spread)),
  }));
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
