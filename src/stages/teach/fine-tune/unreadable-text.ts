/** The note on items whose pictures cannot be read any more: how many, which, and what becomes of them. */
import { plural } from '../../../core/count-text.ts';
import type { ImageId } from '../../../core/ids.ts';
import type { Store } from '../../../store/store.ts';
import type { Problem } from '../problem.ts';
import type { OpenedItems } from './open-items.ts';

/** More are counted. */
const MAX_NAMED = 5;

export async function unreadableText(
  store: Pick<Store, 'pathsOfImages'>,
  { imageOf }: OpenedItems,
  missing: readonly number[],
  { labelled }: Pick<Problem, 'labelled'>,
): Promise<string> {
  const images = [...new Set(missing.map(imageOf).filter((id): id is ImageId => id !== undefined))];
  const named = images.slice(0, MAX_NAMED);
  const paths = await store.pathsOfImages(named);
  const names = named.map((id) => paths.get(id)?.[0]?.path ?? id).join(', ');
  const more = images.length > named.length ? ` and ${images.length - named.length} more` : '';
  const known = new Set(labelled);
  const lost = missing.filter((row) => known.has(row)).length;
  const learned = lost > 0 ? `, ${lost} with a label among them` : '';
  const one = missing.length === 1;
  return (
    `the pictures of ${plural(missing.length, 'item')} cannot be read any more (${names}${more})${learned}: the embedder was trained and ` +
    `judged without ${one ? 'it' : 'them'}, and ${one ? 'it has its' : 'they have their'} label by the vectors that are there. ` +
    'Bring the files back and run it again, or run labelsmith add --sync on their folder'
  );
}
