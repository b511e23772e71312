/**
 * Labels of images that a detector derived from regions, and a person's word about those regions: when a person has
 * deleted or contradicted every region of a class, the image is not said to show that class either.
 */
import type { ImageId, RegionId } from '../../core/ids.ts';
import type { Label } from '../../core/labels.ts';
import { currentLabels, NONE_OF_THESE } from '../../core/labels.ts';
import { type Dictionary, rootClassId } from './dictionary.ts';
import { type LabelFields, labelKeyOf } from './label-rows.ts';
import { NONE_CLASS_ID } from './tables.ts';

/** What is there of some images, and what the same transaction is about to write. */
export interface Derivation {
  readonly labels: Iterable<LabelFields>;
  readonly deleted: ReadonlySet<RegionId>;
  /** In place of labels of the same key. */
  readonly said?: readonly LabelFields[];
}

/** Derived labels of these images whose class no region holds any more, though some region was given it. */
export function lostImageLabels({ labels, deleted, said = [] }: Derivation, dictionary: Dictionary): LabelFields[] {
  const byKey = new Map<string, LabelFields>();
  for (const label of labels) byKey.set(labelKeyOf(label), label);
  for (const label of said) byKey.set(labelKeyOf(label), label);
  const all = [...byKey.values()];
  const claimOf = (imageId: ImageId, taskId: number, classId: number) => `${imageId} ${taskId} ${classId}`;
  const given = new Set<string>();
  const held = new Set<string>();
  const ofRegions = all.filter(({ regionId }) => regionId !== '');
  for (const own of Map.groupBy(ofRegions, ({ regionId, taskId }) => `${regionId} ${taskId}`).values()) {
    const [{ imageId, regionId, taskId }] = own;
    for (const { classId } of own) given.add(claimOf(imageId, taskId, rootClassId(dictionary, classId)));
    if (deleted.has(regionId)) continue;
    for (const classId of standingClasses(own, dictionary)) held.add(claimOf(imageId, taskId, classId));
  }
  return all.filter(({ imageId, regionId, origin, taskId, classId }) => {
    if (regionId !== '' || origin !== 'detector') return false;
    const claim = claimOf(imageId, taskId, rootClassId(dictionary, classId));
    return given.has(claim) && !held.has(claim);
  });
}

/**
 * The classes that hold of one item in one task, by the number they count as. By number and not by name, because a class
 * may be new in the very transaction that asks.
 */
export function standingClasses(labels: readonly LabelFields[], dictionary: Dictionary): Set<number> {
  const rule = dictionary.taskById.get(labels[0]?.taskId ?? -1)?.rule;
  if (rule === undefined) return new Set();
  const said = labels.map(({ regionId, classId, present, origin, confidence, sequence }): Label => {
    const root = rootClassId(dictionary, classId);
    const className = root === NONE_CLASS_ID ? NONE_OF_THESE : String(root);
    return { itemId: regionId, task: '', className, present, origin, confidence, runId: null, sequence };
  });
  return new Set(currentLabels(said, rule).map((label) => Number(label.className)));
}
