/**
 * What is labelled with each class and with everything below it, in one pass over the images, and the images that show
 * it best. Resident: a few hundred bytes a node of the tree.
 */
import type { Box } from '../core/boxes.ts';
import type { DatasetImage, LabelValue } from '../core/dataset.ts';
import type { ImageId } from '../core/ids.ts';
import { ORIGINS, type Origin } from '../core/labels.ts';
import type { Store } from '../store/store.ts';
import { countedImages, TaskOwners } from './task-owner.ts';

export interface ClassExemplar {
  readonly imageId: ImageId;
  readonly file: string;
  /** Null when the image itself has the label. */
  readonly box: Box | null;
  readonly confidence: number | null;
}

export interface ClassCounts {
  /** Images with the class or one below it, on the image or on a region, each once. */
  readonly images: number;
  readonly regions: number;
  /** Of labels of this class itself: those of regions, and those of images that have none. Null without labels. */
  readonly meanConfidence: number | null;
  /** Labels of this class itself. */
  readonly origins: Readonly<Partial<Record<Origin, number>>>;
  /** Most confident first, no two of one group of near-duplicates. */
  readonly exemplars: readonly ClassExemplar[];
}

class Tally {
  images = 0;
  regions = 0;
  readonly origins: Partial<Record<Origin, number>> = {};
  #sum = 0;
  #labels = 0;
  #best: { readonly group: ImageId; readonly exemplar: ClassExemplar }[] = [];

  addLabel(image: DatasetImage, { origin, confidence }: LabelValue, box: Box | null, places: number): void {
    this.origins[origin] = (this.origins[origin] ?? 0) + 1;
    this.#sum += confidence ?? 1;
    this.#labels++;
    const exemplar = { imageId: image.id, file: image.file, box, confidence };
    const mine = this.#best.find(({ group }) => group === image.groupId);
    if (mine && !before(exemplar, mine.exemplar)) return;
    const last = this.#best.at(-1);
    if (!mine && last && this.#best.length === places && !before(exemplar, last.exemplar)) return;
    this.#best = [...this.#best.filter((one) => one !== mine), { group: image.groupId, exemplar }]
      .sort((a, b) => (before(a.exemplar, b.exemplar) ? -1 : 1))
      .slice(0, places);
  }

  counts(): ClassCounts {
    return {
      images: this.images,
      regions: this.regions,
      meanConfidence: this.#labels === 0 ? null : this.#sum / this.#labels,
      origins: this.origins,
      exemplars: this.#best.map(({ exemplar }) => exemplar),
    };
  }
}

function before(a: ClassExemplar, b: ClassExemplar): boolean {
  const [p, q] = [a.confidence ?? 1, b.confidence ?? 1];
  return p !== q ? p > q : a.imageId < b.imageId;
}

/**
 * @param nodes names with that of their parent
 * @param exemplars kept a class at most
 */
export async function countClasses(
  store: Pick<Store, 'dataset' | 'classes'>,
  nodes: readonly { readonly name: string; readonly parent: string | null }[],
  exemplars: number,
): Promise<Map<string, ClassCounts>> {
  const parentOf = new Map(nodes.map(({ name, parent }) => [name, parent]));
  const tallies = new Map(nodes.map(({ name }) => [name, new Tally()]));
  const upFrom = (name: string): string[] => {
    const names: string[] = [];
    for (let at: string | null = name; at !== null; at = parentOf.get(at) ?? null) names.push(at);
    return names;
  };
  const owners = new TaskOwners(await store.classes());
  for await (const image of countedImages(owners, store.dataset({}))) {
    const seen = new Set<string>();
    const onRegions = new Set<string>();
    for (const { labels, box } of image.regions) {
      const regionNames = new Set<string>();
      for (const label of labels) {
        onRegions.add(`${label.task}\n${label.className}`);
        tallies.get(label.className)?.addLabel(image, label, box, exemplars);
        for (const name of upFrom(label.className)) regionNames.add(name);
      }
      for (const name of regionNames) {
        const tally = tallies.get(name);
        if (tally) tally.regions++;
        seen.add(name);
      }
    }
    for (const label of image.labels) {
      // A label of the image that its regions have too is derived from them and would count twice.
      if (!onRegions.has(`${label.task}\n${label.className}`)) {
        tallies.get(label.className)?.addLabel(image, label, null, exemplars);
      }
      for (const name of upFrom(label.className)) seen.add(name);
    }
    for (const name of seen) {
      const tally = tallies.get(name);
      if (tally) tally.images++;
    }
  }
  return new Map([...tallies].map(([name, tally]) => [name, tally.counts()]));
}

/** Labels of a task that hold now, by whose they are. */
export async function labelsByOrigin(
  store: Pick<Store, 'classes'>,
  taskName: string,
): Promise<Partial<Record<Origin, number>>> {
  const sums: Partial<Record<Origin, number>> = {};
  for (const { counts } of await store.classes()) {
    for (const { task, origins } of counts) {
      if (task !== taskName) continue;
      for (const origin of ORIGINS) {
        const count = origins[origin];
        if (count) sums[origin] = (sums[origin] ?? 0) + count;
      }
    }
  }
  return sums;
}
