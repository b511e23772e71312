/**
 * What is searched for from the page: images like a picture, or like words. One search after the other, since each reads every
 * vector; more than {@link MAX_WAITING} that wait are turned away.
 */
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { savedRecipe } from '../stages/embed/recipe.ts';
import { searchFor } from '../stages/search/search.ts';
import { similarToQuery } from '../stages/similar/similar.ts';
import { type KeptModels, keepModels } from './kept-models.ts';

export interface Found {
  readonly id: string;
  readonly similarity: number;
}

export interface SearchKinds {
  /** Images are embedded, so that a picture can be compared with them. */
  readonly pictures: boolean;
  /** They are embedded by a model that knows words. */
  readonly words: boolean;
}

export interface Searches {
  kinds(): Promise<SearchKinds>;
  likeImage(id: string, count: number): Promise<readonly Found[]>;
  /** @param bytes of an image file of any kind that `add` takes */
  likePicture(bytes: Uint8Array, count: number): Promise<readonly Found[]>;
  likeWords(words: string, count: number): Promise<readonly Found[]>;
  close(): Promise<void>;
}

const MAX_WAITING = 32;
const EXACT = { index: 'exact', seed: 0 } as const;

export function createSearches(workspace: Workspace, { threads }: { readonly threads: number }): Searches {
  const { store } = workspace;
  let kept: KeptModels | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** Of each model, whether it has a text side. */
  const knowsWords = new Map<string, boolean>();

  const here = (): Workspace => {
    kept ??= keepModels(workspace.models);
    return { ...workspace, models: kept.models };
  };
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= MAX_WAITING) {
      throw new LabelsmithError('BUSY', 'Too much is searched for at once.', { hint: 'Search again in a moment.' });
    }
    waiting++;
    const next = last.then(work).finally(() => {
      waiting--;
    });
    last = next.catch(() => undefined);
    return next;
  }

  return {
    async kinds() {
      const model = (await savedRecipe(store, 'images'))?.model;
      if (model === undefined) return { pictures: false, words: false };
      const known = knowsWords.get(model) ?? (await workspace.models.knowsWords(model));
      knowsWords.set(model, known);
      return { pictures: true, words: known };
    },
    likeImage: (id, n) => inTurn(() => similarToQuery(here(), { kind: 'image', id }, { ...EXACT, n, threads })),
    likePicture: (bytes, n) =>
      inTurn(async () => {
        const id = sha256Hex(bytes);
        const options = { ...EXACT, n, threads };
        if (!(await store.image(id))) {
          return similarToQuery(here(), { kind: 'file', path: 'the picture', bytes }, options);
        }
        // One that is here is what was asked for.
        const others = await similarToQuery(here(), { kind: 'image', id }, options);
        return [{ id, similarity: 1 }, ...others].slice(0, n);
      }),
    likeWords: (words, n) => inTurn(async () => (await searchFor(here(), words, { n, threads })).found),
    async close() {
      await last;
      await kept?.close();
    },
  };
}
