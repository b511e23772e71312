/**
 * What vectors are centred by where a pile is so small that its mean is not that of pictures at large: of copies of one picture it
 * is that picture, and nothing of it would be left. The mean of the references' classes stands in for the pictures that are missing
 * to {@link ENOUGH_PICTURES}. References of one class tell nothing of what else there is: then nothing stands in for them.
 */
import type { ImageRecord } from '../../core/image.ts';
import { sumsByPart } from '../../math/matrix.ts';
import type { SpaceMean } from '../embed/recipe.ts';
import type { References } from './references.ts';

/** From so many pictures on their mean stands for itself. */
const ENOUGH_PICTURES = 20;

interface Images {
  images(): AsyncIterable<readonly Pick<ImageRecord, 'groupId'>[]>;
}

/** Pictures that are no copies of each other, counted up to {@link ENOUGH_PICTURES}. */
export async function countPictures(store: Images): Promise<number> {
  const groups = new Set<string>();
  for await (const page of store.images()) {
    for (const { groupId } of page) groups.add(groupId);
    if (groups.size >= ENOUGH_PICTURES) return ENOUGH_PICTURES;
  }
  return groups.size;
}

/** What every process that matches centres by. @param mean of the pile. @param references as the model gave them */
export async function meanForMatching(
  store: Images,
  mean: SpaceMean,
  references: Pick<References, 'vectors' | 'classes' | 'classNames'>,
): Promise<SpaceMean> {
  return { ...mean, values: meanOfFew(mean.values, await countPictures(store), references) };
}

/** @param mean of the pile, shape [columns]. @param pictures of the pile, see {@link countPictures} */
export function meanOfFew(
  mean: Float32Array,
  pictures: number,
  { vectors, classes, classNames }: Pick<References, 'vectors' | 'classes' | 'classNames'>,
): Float32Array {
  if (pictures >= ENOUGH_PICTURES) return mean;
  const { columns } = vectors;
  const sums = sumsByPart(vectors, classes, classNames.length);
  const sizes = new Int32Array(classNames.length);
  for (const c of classes) sizes[c] = sizes[c] + 1;
  const ofClasses = new Float64Array(columns);
  if (classNames.length > 1)
    for (const [c, size] of sizes.entries())
      for (let j = 0; j < columns; j++) ofClasses[j] = ofClasses[j] + sums[c * columns + j] / (size * sizes.length);
  const share = pictures / ENOUGH_PICTURES;
  return mean.map((value, j) => share * value + (1 - share) * ofClasses[j]);
}
