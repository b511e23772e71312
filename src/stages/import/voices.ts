/**
 * Boxes that a file only adds, beside those that people drew before: a second person's box of the same thing is a second voice
 * for the region that is there, not another region. The region keeps its box; each word keeps its annotator. A box of another
 * class at the place of one stays a region of its own, and that is told, since both may be meant.
 */
import { BoxIndex, nearest } from '../../core/box-index.ts';
import { iou } from '../../core/boxes.ts';
import type { ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import type { ImageId, RegionId } from '../../core/ids.ts';
import { currentLabels, type Label } from '../../core/labels.ts';
import { pushTo } from '../../core/lists.ts';
import type { Store, StoredRegion } from '../../store/store.ts';
import { type Note, namesIn } from './notes.ts';
import type { PlannedEntry } from './plan.ts';
import { OTHER_CLASS_IOU, SAME_IOU } from './votes.ts';

/** A region that a person drew or touched, and the labels of people that hold for it. */
export interface PersonsRegion {
  readonly region: Pick<StoredRegion, 'id' | 'box'>;
  readonly held: readonly Label[];
}

/** Of the images of a page; those without any are not in it. */
export async function regionsOfPeople(
  store: Pick<Store, 'regionsOf' | 'labelsOf'>,
  page: readonly Pick<PlannedEntry, 'image' | 'regions'>[],
): Promise<Map<ImageId, PersonsRegion[]>> {
  const drawn = await store.regionsOf(page.flatMap(({ image, regions }) => (regions.length > 0 ? [image.id] : [])));
  const touched = [...drawn].flatMap(([, regions]) => regions.filter((region) => region.touched && !region.deleted));
  const labels = await store.labelsOf(touched.map(({ id }) => id));
  const found = new Map<ImageId, PersonsRegion[]>();
  for (const region of touched) {
    const said = (labels.get(region.id) ?? []).filter(({ origin }) => origin === 'human');
    const held = currentLabels(said, 'multi');
    if (held.length === 0) continue;
    pushTo(found, region.imageId, { region, held });
  }
  return found;
}

export interface Voices {
  /** Which region of the workspace a region of the file is. */
  readonly sameAs: ReadonlyMap<ImportedRegion, RegionId>;
  readonly notes: readonly Note[];
}

interface VoiceOptions {
  readonly idOf: (region: ImportedRegion) => RegionId;
  readonly taskOf: (label: ImportedLabel) => string;
}

/**
 * Pairs each region of an entry with at most one of `there` in the same task, the best overlap first. What people say of a
 * thing in another task is neither the same word nor another one. Cost: see `BoxIndex`.
 *
 * @param taskOf the task that a label of the file goes into
 * @param idOf the id that a region of the file gets by itself: one that is there already is the same box again
 */
export function voicesIn(
  entry: Pick<PlannedEntry, 'file' | 'where' | 'regions'>,
  there: readonly PersonsRegion[],
  { idOf, taskOf }: VoiceOptions,
): Voices {
  const sameAs = new Map<ImportedRegion, RegionId>();
  const notes: Note[] = [];
  const again = new Set(entry.regions.map(idOf));
  const others = there.filter(({ region }) => !again.has(region.id));
  if (others.length === 0) return { sameAs, notes };
  const known = new Set(there.map(({ region }) => region.id));
  const index = new BoxIndex<number>();
  for (const [i, { region }] of others.entries()) index.add(region.box, i);
  const pairs = entry.regions.flatMap((given) => {
    if (given.labels.length === 0 || given.about !== undefined || known.has(idOf(given))) return [];
    const tasks = new Set(given.labels.map(taskOf));
    const near = nearest(index, given.box, (i) => iou(given.box, others[i].region.box));
    near.sort((a, b) => a.value - b.value);
    return near.flatMap(({ value, overlap }) => {
      const { region, held: all } = others[value];
      const held = all.filter(({ task }) => tasks.has(task));
      if (held.length === 0) return [];
      const isHeld = (label: ImportedLabel) =>
        held.some(({ className, task }) => className === label.className && task === taskOf(label));
      const isSame = given.labels.every(isHeld);
      return overlap >= (isSame ? SAME_IOU : OTHER_CLASS_IOU) ? [{ given, region, held, overlap, isSame }] : [];
    });
  });
  pairs.sort((a, b) => Number(b.isSame) - Number(a.isSame) || b.overlap - a.overlap);
  const taken = new Set<RegionId>();
  const told = new Set<ImportedRegion>();
  for (const { given, region, held, isSame } of pairs) {
    if (sameAs.has(given) || told.has(given) || taken.has(region.id)) continue;
    taken.add(region.id);
    const where = given.where ?? entry.where;
    if (isSame) {
      sameAs.set(given, region.id);
      notes.push(['voice-joined', where, `${entry.file}: ${namesIn(given.labels)[0]}`]);
    } else {
      told.add(given);
      const said = namesIn(given.labels).join(', ');
      notes.push(['people-disagree', where, `${entry.file}: ${said} where ${namesIn(held).join(', ')} was`]);
    }
  }
  return { sameAs, notes };
}
