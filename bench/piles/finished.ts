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

/** @param taken the classes that are taken, of those of the set (default all) */
export async function finishedSet(
  name: string,
  taken: (classNames: readonly string[]) => readonly string[] = (classNames) => classNames,
): Promise<FinishedSet> {
  const embedder = await openBackbone(DEFAULT_BACKBONE, 2);
  try {
    const set = await embeddedSet(name, async () => embedder, embedder.key, { withCopies: false });
    const classNames = set.classNames.filter((one) => taken(set.classNames).includes(one));
    const rows = [...set.classes.keys()].filter((row) => classNames.includes(set.classNames[set.classes[row]]));
    const { columns, data } = set.vectors;
    const features = newSharedMatrix(rows.length, columns);
    rows.forEach((row, i) => {
      features.data.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
    });
    centreAndNormalise(features, embedder, meanOf(features));
    const groups = await groupsOf(name);
    return {
      name,
      classes: Int32Array.from(rows, (row) => classNames.indexOf(set.classNames[set.classes[row]])),
      classNames,
      features,
      groups: rows.map((row) => groups[row]),
    };
  } finally {
    await embedder.close();
  }
}
