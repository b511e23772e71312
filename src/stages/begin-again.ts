/**
 * Work beside `forget` and `embed`, which take images and files of vectors away or write them anew. Whoever planned
 * with such a file or image, or has workers that did, cannot go on with it: the work begins again with what there is.
 */
import type { ItemKind } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { RunOptions } from '../jobs/run.ts';
import type { Store } from '../store/store.ts';
import { requireRecipe } from './embed/recipe.ts';

/** A pile that changes all the time is not what anybody asked about. */
const MAX_ATTEMPTS = 5;

export interface BeginAgainOptions extends Pick<RunOptions, 'signal'> {
  /** Told when it begins again, since images or files of vectors were taken away or made anew while it read them. */
  readonly onAgain?: () => void;
}

interface MendingOptions extends BeginAgainOptions {
  /** Done before it is looked what changed: where the record may name vectors of what is gone, which nobody else takes away. */
  readonly mend?: () => Promise<unknown>;
}

/**
 * Does `work`, and once more where something was not found and the record has other files of vectors, or another number of images, than before:
 * five times at most.
 * @param work records a run of its own: what workers still bring of the attempt before is filed by its run, and none of this one
 */
export function beginningAgain<T>(
  store: Pick<Store, 'getSetting' | 'vectorShards' | 'countImages'>,
  items: ItemKind,
  options: MendingOptions,
  work: () => Promise<T>,
): Promise<T> {
  // `forget` writes vectors anew before it takes their images out: who began in between has the files of afterwards.
  const look = async () => `${await store.countImages()}\n${await filesOfVectors(store, items)}`;
  return whileChanging(look, options, work);
}

/** The same where the record has another number of images than before. @param work does what is missing */
export function beginningAgainOnImages<T>(
  store: Pick<Store, 'countImages'>,
  options: BeginAgainOptions,
  work: () => Promise<T>,
): Promise<T> {
  return whileChanging(() => store.countImages(), options, work);
}

async function whileChanging<T>(
  look: () => Promise<string | number>,
  { signal, onAgain, mend }: MendingOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const before = await look();
    try {
      return await work();
    } catch (error) {
      const isGone = error instanceof LabelsmithError && error.code === 'NOT_FOUND';
      if (!isGone || attempt === MAX_ATTEMPTS || signal?.aborted) throw error;
      await mend?.();
      if ((await look()) === before) throw error;
      onAgain?.();
    }
  }
}

/** Names of the files that the record has. */
async function filesOfVectors(store: Pick<Store, 'getSetting' | 'vectorShards'>, items: ItemKind): Promise<string> {
  const { space } = await requireRecipe(store, items);
  return (await store.vectorShards(space, items)).map(({ file }) => file).join('\n');
}
