/**
 * Splits by group: all images of a group (duplicates, bursts, frames of one video) fall on one side.
 *
 * Each group has a number u in [0, 1), the hash of its id and the seed. Groups are put into strata by their rarest class
 * (as iterative stratification serves the rarest label first: Sechidis, Tsoumakas, Vlahavas, "On the Stratification of
 * Multi-label Data", ECML PKDD 2011), sorted by u within a stratum, and each stratum is cut at the fractions; what
 * rounding leaves over is carried to the next stratum. So
 * - the outcome depends on the data and the seed alone,
 * - each class of a single task is split as asked to within a group or so, and the whole too,
 * - since every stratum is cut in order of the same u, adding images moves only the few groups near a cut.
 *
 * Cost: O(n log n) for n groups; resident about 150 bytes a group while planning, 50 after.
 */
import type { DatasetImage } from '../core/dataset.ts';
import { fingerprint } from '../core/fingerprints.ts';
import type { ImageId } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';

export interface SplitPart {
  readonly name: string;
  /** Above 0, at most 1; the parts of one split add up to 1. */
  readonly fraction: number;
}

export interface SplitPlan {
  /** In the order asked for. */
  readonly names: readonly string[];
  /** Of a plan that was drawn: fails for a group that it has not seen. */
  splitOf(image: Pick<DatasetImage, 'groupId' | 'split'>): string;
}

/** Where images go that came with no split, beside others that did. */
export const NO_SPLIT = 'unassigned';
const USUAL = ['train', 'val', 'test'];

/**
 * The splits that images came with, as they are; null where none came with any.
 * @param found of the images of an export; null: one without a split
 */
export function importedSplits(found: ReadonlySet<string | null>): SplitPlan | null {
  const names = [...found].filter((split) => split !== null && split !== NO_SPLIT);
  if (names.length === 0) return null;
  const rank = (name: string) => (USUAL.includes(name) ? USUAL.indexOf(name) : USUAL.length);
  const sorted = names.filter((name) => name !== null).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const rest = found.has(null) || found.has(NO_SPLIT) ? [NO_SPLIT] : [];
  return { names: [...sorted, ...rest], splitOf: ({ split }) => split ?? NO_SPLIT };
}

/** Reads `train=.8,val=.1,test=.1`. */
export function parseSplit(text: string): SplitPart[] {
  const wrong = (what: string) =>
    new LabelsmithError('USAGE', `--split ${text}: ${what}`, {
      hint: 'Write names and fractions that add up to 1, such as --split train=.8,val=.1,test=.1.',
    });
  const parts = text.split(',').map((part) => {
    const [name, value, ...rest] = part.split('=').map((side) => side.trim());
    if (!name || value === undefined || rest.length > 0) throw wrong(`${JSON.stringify(part)} is not NAME=FRACTION`);
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$/.test(name))
      throw wrong(`the name ${JSON.stringify(name)} may hold letters, digits, - and _ only`);
    const fraction = /^(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
    if (!(fraction > 0 && fraction <= 1))
      throw wrong(`the fraction of ${name}, ${value}, is not above 0 and at most 1`);
    return { name, fraction };
  });
  const names = parts.map((part) => part.name.toLowerCase());
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double !== undefined) throw wrong(`${double} comes twice`);
  const sum = parts.reduce((total, part) => total + part.fraction, 0);
  if (Math.abs(sum - 1) > 1e-6) throw wrong(`the fractions add up to ${Number(sum.toFixed(6))}, not 1`);
  return parts;
}

interface Group {
  /** 52 bits of the hash of seed and id; order within a stratum, and identity. */
  readonly u: number;
  images: number;
  readonly classes: Set<number>;
}

/** Goes through the images once and assigns every group. Classes are those of labels and of regions' labels. */
export async function planSplits(
  images: AsyncIterable<Pick<DatasetImage, 'groupId' | 'labels' | 'regions'>>,
  parts: readonly SplitPart[],
  seed: number,
): Promise<SplitPlan> {
  const groups = new Map<number, Group>();
  const classIndex = new Map<string, number>();
  const groupsOfClass: number[] = [];
  const keyOf = (groupId: ImageId) => fingerprint(`split\n${seed}\n${groupId}`);

  for await (const image of images) {
    const u = keyOf(image.groupId);
    let group = groups.get(u);
    if (group === undefined) {
      group = { u, images: 0, classes: new Set() };
      groups.set(u, group);
    }
    group.images++;
    for (const labels of [image.labels, ...image.regions.map((region) => region.labels)]) {
      for (const { className } of labels) {
        let index = classIndex.get(className);
        if (index === undefined) {
          index = groupsOfClass.push(0) - 1;
          classIndex.set(className, index);
        }
        if (!group.classes.has(index)) groupsOfClass[index]++;
        group.classes.add(index);
      }
    }
  }

  // Rarest class first, equal ones by name, so that the order images came in does not count.
  const names = [...classIndex.keys()].sort((a, b) => count(a) - count(b) || (a < b ? -1 : 1));
  function count(name: string): number {
    return groupsOfClass[classIndex.get(name) as number];
  }
  const rank = new Int32Array(names.length);
  for (const [r, name] of names.entries()) rank[classIndex.get(name) as number] = r;

  const strata: Group[][] = Array.from({ length: names.length + 1 }, () => []);
  for (const group of groups.values()) {
    let stratum = names.length;
    for (const index of group.classes) stratum = Math.min(stratum, rank[index]);
    strata[stratum].push(group);
  }
  return planOf(strata, parts, keyOf);
}

function planOf(
  strata: readonly (readonly Group[])[],
  parts: readonly SplitPart[],
  keyOf: (groupId: ImageId) => number,
): SplitPlan {
  const last = parts.length - 1;
  /** Share of all images that the first k + 1 parts shall have. */
  const shares = parts.map((_, k) => parts.slice(0, k + 1).reduce((sum, part) => sum + part.fraction, 0));
  /** Images that the first k + 1 parts have so far. */
  const assigned = parts.map(() => 0);
  const partOf = new Map<number, number>();
  let before = 0;
  for (const stratum of strata) {
    const size = stratum.reduce((sum, group) => sum + group.images, 0);
    const cuts = shares.map((share, k) => share * (before + size) - assigned[k]);
    let done = 0;
    for (const group of stratum.slice().sort((a, b) => a.u - b.u)) {
      const middle = done + group.images / 2;
      const found = cuts.findIndex((cut) => middle <= cut);
      const part = found < 0 ? last : found;
      partOf.set(group.u, part);
      for (let k = part; k <= last; k++) assigned[k] += group.images;
      done += group.images;
    }
    before += size;
  }
  const names = parts.map((part) => part.name);
  return {
    names,
    splitOf({ groupId }) {
      const part = partOf.get(keyOf(groupId));
      if (part === undefined) throw new Error(`the split was planned without group ${groupId}`);
      return names[part];
    },
  };
}
