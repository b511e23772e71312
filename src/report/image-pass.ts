/**
 * What one pass over the images tells: counts a class and a node of the tree, and which images may be shown.
 *
 * Resident: about 60 kB a class (its candidates for pictures), 1 kB a group of several images.
 */

import type { DatasetImage, LabelValue, RegionRecord } from '../core/dataset.ts';
import type { ImageId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import type { Origin } from '../core/labels.ts';
import { pushTo } from '../core/lists.ts';
import type { TaxonomyNode } from '../corpus/taxonomy.ts';
import { BestOfGroups } from './exemplars.ts';
import type { Exemplar, ReportCopies, ReportGroup, ReportTreeNode } from './report-data.ts';

const MAX_GROUPS = 24;
const MAX_MEMBERS = 12;
const MAX_COPIES = 24;
const MAX_PATHS = 6;
/** Items of a class that stand for all of it when typical ones are chosen. */
const SAMPLE = 96;

type Labelled = { readonly label: LabelValue; readonly region: RegionRecord | null };

/** One task's class as it is counted. */
export class ClassTally {
  readonly name: string;
  readonly task: string;
  images = 0;
  regions = 0;
  readonly origins: Partial<Record<Origin, number>> = {};
  #confidenceSum = 0;
  #confidences = 0;
  /** Drawn at random, most confident, least confident. */
  readonly sample: BestOfGroups<Exemplar>;
  readonly best: BestOfGroups<Exemplar>;
  readonly doubtful: BestOfGroups<Exemplar>;

  constructor(name: string, task: string, { typical, doubtful }: { typical: number; doubtful: number }) {
    this.name = name;
    this.task = task;
    this.sample = new BestOfGroups(SAMPLE);
    this.best = new BestOfGroups(2 * typical);
    // Those that turn out to be among the typical too are dropped at the end.
    this.doubtful = new BestOfGroups(doubtful);
  }

  get meanConfidence(): number | null {
    return this.#confidences > 0 ? this.#confidenceSum / this.#confidences : null;
  }

  /** One image with all its labels of this class: those of regions, or else the image's own. */
  add(image: DatasetImage, labels: readonly Labelled[]): void {
    const sorted = [...labels].sort((a, b) => (b.label.confidence ?? 1) - (a.label.confidence ?? 1));
    const regions = sorted.flatMap(({ region }) => (region ? [{ id: region.id, box: region.box }] : []));
    this.images++;
    this.regions += regions.length;
    for (const { label } of labels) {
      this.origins[label.origin] = (this.origins[label.origin] ?? 0) + 1;
      if (label.confidence === null) continue;
      this.#confidenceSum += label.confidence;
      this.#confidences++;
    }
    const confidence = sorted[0].label.confidence;
    const exemplar = { imageId: image.id, confidence, regions };
    // An id is a hash of the image's bytes, so its beginning is a lot drawn once and for all.
    this.sample.offer(image.groupId, -Number.parseInt(image.id.slice(0, 12), 16) || 0, image.id, exemplar);
    this.best.offer(image.groupId, confidence ?? 1, image.id, exemplar);
    this.doubtful.offer(image.groupId, -(confidence ?? 1), image.id, exemplar);
  }
}

export class ImagePass {
  labelledImages = 0;
  /** Groups of several images by id; `count` leaves out the image the group is named after. */
  readonly groups = new Map<ImageId, { count: number; members: ImageId[] }>();
  readonly copies = new BestOfGroups<ReportCopies>(MAX_COPIES);
  readonly #classes = new Map<string, ClassTally>();
  readonly #places: { typical: number; doubtful: number };
  readonly #tree: Map<string, { readonly node: TaxonomyNode; images: number; regions: number }>;

  constructor(tree: readonly TaxonomyNode[], places: { typical: number; doubtful: number }) {
    this.#places = places;
    this.#tree = new Map(tree.map((node) => [node.name, { node, images: 0, regions: 0 }]));
  }

  add(image: DatasetImage): void {
    if (image.groupId !== image.id) {
      const group = this.groups.get(image.groupId) ?? { count: 0, members: [] };
      group.count++;
      if (group.members.length < MAX_MEMBERS - 1) group.members.push(image.id);
      this.groups.set(image.groupId, group);
    }
    const byClass = new Map<string, Labelled[]>();
    const put = (label: LabelValue, region: RegionRecord | null) => {
      pushTo(byClass, `${label.task}\n${label.className}`, { label, region });
    };
    for (const region of image.regions) for (const label of region.labels) put(label, region);
    // An image label of a class that has regions here is derived from them and would count twice.
    for (const label of image.labels) if (!byClass.has(`${label.task}\n${label.className}`)) put(label, null);
    if (byClass.size > 0) this.labelledImages++;
    for (const [key, labels] of byClass) {
      const { className, task } = labels[0].label;
      const tally = this.#classes.get(key) ?? new ClassTally(className, task, this.#places);
      this.#classes.set(key, tally);
      tally.add(image, labels);
    }
    this.#addToTree(image);
  }

  /** An image or region counts once for a class and once for each node above it. */
  #addToTree(image: DatasetImage): void {
    const ofImage = new Set<string>();
    const climb = (name: string, into: Set<string>) => {
      for (let at: string | null = name; at !== null && !into.has(at); ) {
        into.add(at);
        at = this.#tree.get(at)?.node.parent ?? null;
      }
    };
    for (const { labels } of image.regions) {
      const ofRegion = new Set<string>();
      for (const { className } of labels) climb(className, ofRegion);
      for (const name of ofRegion) {
        ofImage.add(name);
        const entry = this.#tree.get(name);
        if (entry) entry.regions++;
      }
    }
    for (const { className } of image.labels) climb(className, ofImage);
    for (const name of ofImage) {
      const entry = this.#tree.get(name);
      if (entry) entry.images++;
    }
  }

  addCopies(imageId: ImageId, paths: readonly ImagePath[]): void {
    if (paths.length < 2) return;
    const shown = paths.slice(0, MAX_PATHS).map(({ path }) => path);
    this.copies.offer(imageId, paths.length, imageId, { imageId, count: paths.length, paths: shown });
  }

  groupedImages(): number {
    return [...this.groups.values()].reduce((sum, { count }) => sum + count + 1, 0);
  }

  largestGroups(): ReportGroup[] {
    return [...this.groups]
      .sort(([a, { count: m }], [b, { count: n }]) => n - m || (a < b ? -1 : 1))
      .slice(0, MAX_GROUPS)
      .map(([id, { count, members }]) => ({ id, count: count + 1, kinds: [], members: [id, ...members] }));
  }

  /** Those with most images first. */
  classes(): ClassTally[] {
    return [...this.#classes]
      .sort(([a, m], [b, n]) => n.images - m.images || n.regions - m.regions || (a < b ? -1 : 1))
      .map(([, tally]) => tally);
  }

  /** Nodes with something in or below them, each behind its parent. */
  tree(): ReportTreeNode[] {
    return [...this.#tree.values()].flatMap(({ node, images, regions }) => {
      if (images === 0) return [];
      const { name, parent, depth, heading, description } = node;
      return [{ name, parent, depth, heading, description, images, regions }];
    });
  }
}
