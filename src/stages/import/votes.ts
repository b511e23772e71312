/**
 * What several annotators say of one thing: boxes of different people at one place are one region with a vote each. Where
 * votes differ, a rule decides which class holds; the others stay with the region as an attribute, and are told.
 *
 * Cost: O(n log n), but for boxes of one size at one place, each of which is compared with all others that are not yet paired.
 */
import { BoxIndex } from '../../core/box-index.ts';
import { type Box, iou } from '../../core/boxes.ts';
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import { medianOf } from '../../math/median.ts';

/** Which class holds: that of the last annotation in the file, that of most (of equals the last), or all, for review. */
export const DISAGREEMENT_RULES = ['newest', 'majority', 'review'] as const;
export type DisagreementRule = (typeof DISAGREEMENT_RULES)[number];

/** From here on two people's boxes are of one thing: of one class, and of two. A `BoxIndex` finds none below 1/2. */
export const SAME_IOU = 0.5;
export const OTHER_CLASS_IOU = 0.7;
/** The attribute that holds what did not win. */
export const DISAGREEMENT = 'disagreement';

export interface VoteOptions {
  readonly rule: DisagreementRule;
  readonly reckoning: Reckoning;
}

/** Regions of one image; those that nobody is named for stay as they are. */
export function mergedVotes(entry: ImportedImage, options: VoteOptions): ImportedRegion[] {
  const { regions } = entry;
  const annotators = new Set(regions.map(annotatorOf));
  annotators.delete(null);
  if (annotators.size < 2) return [...regions];
  const groups: Group[] = [];
  const index = new BoxIndex<Group>();
  for (const region of [...regions].sort((a, b) => a.box[0] - b.box[0])) {
    const by = annotatorOf(region);
    const best = by === null ? null : bestGroup(region, by, index);
    if (best === null) {
      const group = { regions: [region], by: new Set([by]), at: groups.length };
      groups.push(group);
      if (by !== null) index.add(region.box, group);
      continue;
    }
    best.regions.push(region);
    best.by.add(by);
    // All have a box in it.
    if (best.by.size === annotators.size) index.delete(best.regions[0].box, best);
  }
  const place = new Map(regions.map((region, i) => [region, i]));
  const at = (region: ImportedRegion) => place.get(region) ?? 0;
  return groups
    .map((group) => group.regions.sort((a, b) => at(a) - at(b)))
    .sort((a, b) => at(a[0]) - at(b[0]))
    .map((group) => (group.length === 1 ? group[0] : merged(group, entry, options)));
}

function annotatorOf({ labels }: ImportedRegion): string | null {
  return labels[0]?.annotator ?? null;
}

/** Regions of one thing, the first of which all others overlap. */
interface Group {
  readonly regions: ImportedRegion[];
  readonly by: Set<string | null>;
  readonly at: number;
}

/** The group at this place in which the annotator has no box yet; the nearest, and of equals the first. */
function bestGroup({ box, labels }: ImportedRegion, by: string, groups: BoxIndex<Group>): Group | null {
  const className = labels[0]?.className;
  let best: Group | null = null;
  let most = 0;
  groups.visitNear(box, (group) => {
    const [first] = group.regions;
    const overlap = iou(box, first.box);
    const needed = first.labels[0]?.className === className ? SAME_IOU : OTHER_CLASS_IOU;
    if (overlap < needed || overlap < most || group.by.has(by)) return;
    if (best !== null && overlap === most && group.at > best.at) return;
    best = group;
    most = overlap;
  });
  return best;
}

/** @param group in the order of the file */
function merged(
  group: readonly ImportedRegion[],
  entry: ImportedImage,
  { rule, reckoning }: VoteOptions,
): ImportedRegion {
  const newest = group[group.length - 1];
  const where = newest.where ?? entry.where;
  reckoning.note('votes-merged', where, `${entry.file}: ${group.length} annotators`, group.length - 1);
  const votes = group.flatMap(({ labels }) => labels);
  const classes = new Set(votes.map(({ className }) => className));
  const box = rule === 'majority' ? medianBox(group.map((region) => region.box)) : newest.box;
  const region = { ...newest, box, score: null, labels: votes };
  if (classes.size === 1) return region;
  const named = votes.map(({ className, annotator }) => `${className} (${annotator ?? '?'})`);
  reckoning.note('annotators-disagree', where, `${entry.file}: ${named.join(', ')}`);
  if (rule === 'review') return region;
  const winner = winnerOf(votes, rule);
  const losers = named.filter((_, i) => votes[i].className !== winner);
  const attributes = { ...newest.details?.attributes, [DISAGREEMENT]: losers.join(', ') };
  return {
    ...region,
    labels: votes.filter(({ className }) => className === winner),
    details: { ...newest.details, attributes },
  };
}

function winnerOf(votes: readonly ImportedLabel[], rule: DisagreementRule): string {
  const last = votes[votes.length - 1].className;
  if (rule !== 'majority') return last;
  const counts = new Map<string, number>();
  for (const { className } of votes) counts.set(className, (counts.get(className) ?? 0) + 1);
  let best = last;
  for (const [className, count] of counts) if (count > (counts.get(best) ?? 0)) best = className;
  return best;
}

function medianBox(boxes: readonly Box[]): Box {
  const edge = (axis: 0 | 1 | 2 | 3) => medianOf(boxes.map((box) => box[axis]));
  return [edge(0), edge(1), edge(2), edge(3)];
}

/** Classes of an image in the order in which they are written: in a task of one class the last one holds. */
export function orderedVotes(entry: ImportedImage, { rule, reckoning }: VoteOptions): readonly ImportedLabel[] {
  const { labels } = entry;
  const annotators = new Set(labels.flatMap(({ annotator }) => (annotator == null ? [] : [annotator])));
  const classes = new Set(labels.map(({ className }) => className));
  if (annotators.size < 2 || classes.size < 2) return labels;
  const named = labels.map(({ className, annotator }) => `${className} (${annotator ?? '?'})`);
  reckoning.note('annotators-disagree', entry.where, `${entry.file}: ${named.join(', ')}`);
  if (rule !== 'majority') return labels;
  const winner = winnerOf(labels, rule);
  return [...labels].sort((a, b) => Number(a.className === winner) - Number(b.className === winner));
}
