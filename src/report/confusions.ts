/**
 * Pairs of classes that are hard to tell apart, by what there is:
 *
 * - detections of one model: two candidates of different classes on one place (IoU ≥ .6), the weaker at least half as sure;
 * - a task that a model has guesses for: labels that confidently look like another class (`label-errors`);
 * - any other single task with embeddings of images: nearest neighbours of another class, in a random sample.
 *
 * Bounded: one pass over the candidates, and samples of {@link SAMPLE} items. Resident: a few kB a pair, and the vectors of
 * a sample (14 MB with the default model).
 */
import { type Box, boxAt, type Detections, iou } from '../core/boxes.ts';
import type { ImageId } from '../core/ids.ts';
import { isRegionId } from '../core/ids.ts';
import { currentLabels } from '../core/labels.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { exactIndex } from '../math/knn/exact.ts';
import { newSharedMatrix } from '../math/matrix.ts';
import { vectorsOf } from '../stages/embed/vectors-of.ts';
import { canonicalNames } from '../stages/evaluate/predictions.ts';
import { openPredictions } from '../stages/predictions.ts';
import { labelErrorsIn } from '../stages/teach/label-errors.ts';
import { BestOfGroups } from './exemplars.ts';

export interface ConfusingPair {
  /** In alphabetical order. */
  readonly classes: readonly [string, string];
  readonly task: string;
  readonly how: 'candidates' | 'label-errors' | 'neighbours';
  /** Places with both, doubtful labels, or items with such a neighbour, among those looked at. */
  readonly count: number;
  /** The closest calls, one a group of bytes; at most {@link EXAMPLES}. */
  readonly examples: readonly ConfusingExample[];
}

export interface ConfusingExample {
  readonly imageId: ImageId;
  /** What the two classes get there, in the order of `classes`; null where no score says it. */
  readonly scores: readonly [number, number] | null;
  /** Null for a whole image. */
  readonly boxes: readonly [Box, Box] | null;
  /** Which of the two the image is labelled with, where it is labelled with one. */
  readonly labelled: string | null;
}

export const SAMPLE = 3000;
const EXAMPLES = 6;
const PAIRS = 12;
/** Fewer say nothing of a pair. */
const MIN_COUNT = 2;
const SAME_PLACE = 0.6;
const MIN_SCORE = 0.15;
const NEIGHBOURS = 5;
const PAGE = 512;

/** Those that are confused most often first, at most a dozen a task. */
export async function confusingPairs(
  workspace: Workspace,
  { threads }: { readonly threads: number },
): Promise<ConfusingPair[]> {
  const found = await byCandidates(workspace);
  for (const { name, rule, items } of await workspace.store.tasks()) {
    if (rule !== 'single' || items !== 'images') continue;
    const guessed = (await openPredictions(workspace, name)) !== undefined;
    found.push(...(guessed ? await byLabelErrors(workspace, name) : await byNeighbours(workspace, name, threads)));
  }
  return found;
}

/** Pairs as they are met. */
class Pairs {
  readonly #pairs = new Map<
    string,
    { classes: [string, string]; count: number; best: BestOfGroups<ConfusingExample> }
  >();

  /** @param closeness ranks examples. `scores` and `boxes` are in the order of `a` and `b`. */
  add(a: string, b: string, closeness: number, example: ConfusingExample): void {
    const swapped = b < a;
    const classes: [string, string] = swapped ? [b, a] : [a, b];
    const key = classes.join('\n');
    const pair = this.#pairs.get(key) ?? { classes, count: 0, best: new BestOfGroups(EXAMPLES) };
    this.#pairs.set(key, pair);
    pair.count++;
    const { scores, boxes } = example;
    const turned = swapped ? { ...example, scores: scores && turn(scores), boxes: boxes && turn(boxes) } : example;
    pair.best.offer(example.imageId, closeness, example.imageId, turned);
  }

  list(task: string, how: ConfusingPair['how']): ConfusingPair[] {
    return [...this.#pairs.values()]
      .filter(({ count }) => count >= MIN_COUNT)
      .sort((a, b) => b.count - a.count || (a.classes.join() < b.classes.join() ? -1 : 1))
      .slice(0, PAIRS)
      .map(({ classes, count, best }) => ({ classes, task, how, count, examples: best.list() }));
  }
}

function turn<T>([a, b]: readonly [T, T]): readonly [T, T] {
  return [b, a];
}

async function byCandidates({ store }: Workspace): Promise<ConfusingPair[]> {
  const models = await store.candidateModels();
  const last = (await store.runs({ stage: 'detect', limit: 1 }))[0]?.modelKey;
  const model = models.find(({ modelKey }) => modelKey === last) ?? models[0];
  if (!model) return [];
  const canonical = await canonicalNames(store);
  const names = model.classNames.map(canonical);
  const pairs = new Pairs();
  for await (const page of store.candidates(model.modelKey)) {
    for (const { imageId, detections } of page) addOverlaps(pairs, imageId, detections, names);
  }
  return pairs.list('objects', 'candidates');
}

/** Candidates are most confident first; a place counts once, with the surest class and the next one there. */
function addOverlaps(pairs: Pairs, imageId: ImageId, detections: Detections, names: readonly string[]): void {
  const { count, scores, classes } = detections;
  const taken = new Set<number>();
  for (let i = 0; i < count && scores[i] >= MIN_SCORE; i++) {
    if (taken.has(i)) continue;
    const box = boxAt(detections, i);
    for (let j = i + 1; j < count && scores[j] >= scores[i] / 2; j++) {
      const [a, b] = [names[classes[i]], names[classes[j]]];
      if (a === b || scores[j] < MIN_SCORE) continue;
      const other = boxAt(detections, j);
      if (iou(box, other) < SAME_PLACE) continue;
      taken.add(j);
      const both = [scores[i], scores[j]] as const;
      pairs.add(a, b, both[1], { imageId, scores: both, boxes: [box, other], labelled: null });
      break;
    }
  }
}

async function byLabelErrors(workspace: Workspace, task: string): Promise<ConfusingPair[]> {
  const pairs = new Pairs();
  const ids = [...(await sampleOf(workspace, task)).keys()];
  for (const { itemId, className, suggested, selfConfidence, flagged } of await labelErrorsIn(workspace, task, ids)) {
    if (!flagged || suggested === className || isRegionId(itemId)) continue;
    const example = { imageId: itemId, scores: null, boxes: null, labelled: className };
    pairs.add(className, suggested, 1 - selfConfidence, example);
  }
  return pairs.list(task, 'label-errors');
}

async function byNeighbours(workspace: Workspace, task: string, threads: number): Promise<ConfusingPair[]> {
  const labels = await sampleOf(workspace, task);
  const vectors = await vectorsOf(workspace, 'images', [...labels.keys()]);
  const ids = [...labels.keys()].filter((id) => vectors.has(id));
  const columns = vectors.get(ids[0] ?? '')?.length ?? 0;
  if (ids.length <= NEIGHBOURS) return [];
  const points = newSharedMatrix(ids.length, columns);
  for (const [i, id] of ids.entries()) points.data.set(vectors.get(id) as Float32Array, i * columns);
  return workspace.engine.withInference({ threads }, async (pool) => {
    const { indices, similarities } = await exactIndex(pool, points).search(points, NEIGHBOURS + 1);
    const pairs = new Pairs();
    for (const [i, id] of ids.entries()) {
      const own = labels.get(id) as string;
      for (let n = 0; n <= NEIGHBOURS; n++) {
        const at = i * (NEIGHBOURS + 1) + n;
        const other = labels.get(ids[indices[at]]);
        if (other === undefined || other === own || indices[at] === i) continue;
        const example = { imageId: id, scores: null, boxes: null, labelled: own };
        pairs.add(own, other, similarities[at], example);
        break;
      }
    }
    return pairs.list(task, 'neighbours');
  });
}

/** The labels that hold of the first items in order of id, which is random: ids are hashes. */
async function sampleOf({ store }: Workspace, task: string): Promise<Map<ImageId, string>> {
  const found = new Map<ImageId, string>();
  for await (const images of store.images({})) {
    for (let start = 0; start < images.length && found.size < SAMPLE; start += PAGE) {
      const ids = images.slice(start, start + PAGE).map(({ id }) => id);
      const labels = await store.labelsOf(ids, task);
      for (const id of ids) {
        const [label] = currentLabels(labels.get(id) ?? [], 'single');
        if (label && found.size < SAMPLE) found.set(id, label.className);
      }
    }
    if (found.size >= SAMPLE) break;
  }
  return found;
}
