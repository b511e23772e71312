/** A set of the piles' cache as stages see it: centred and normalised vectors of the default embedder. */
import { type Matrix, newSharedMatrix } from '../../src/math/matrix.ts';
import { centreAndNormalise, meanOf } from '../../src/stages/embed/recipe.ts';
import { DEFAULT_BACKBONE, openBackbone } from './backbones.ts';
import { groupsOf } from './groups.ts';
import { type EmbeddedSet, embeddedSet } from './vectors.ts';

export interface FinishedSet extends Pick<EmbeddedSet, 'name' | 'classes' | 'classNames'> {
  /** Shape [images, columns]. */
  readonly features: Matrix;
  /** Group of each image, shape [images]. */
  readonly groups: readonly string[];
}

export async function finishedSet(name: string): Promise<FinishedSet> {
  const embedder = await openBackbone(DEFAULT_BACKBONE, 2);
  try {
    const { classes, classNames, vectors } = await embeddedSet(name, async () => embedder, embedder.key);
    const features = newSharedMatrix(vectors.rows, vectors.columns);
    features.data.set(vectors.data);
    centreAndNormalise(features, embedder, meanOf(features));
    return { name, classes, classNames, features, groups: await groupsOf(name) };
  } finally {
    await embedder.close();
  }
}
