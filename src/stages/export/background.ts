/**
 * Which images with no label an export takes along. In formats of boxes such an image is background, by which a detector
 * learns what not to find: so one that nobody has looked at must not be among them without a word.
 */
import type { DatasetImage } from '../../core/dataset.ts';
import type { ItemId } from '../../core/ids.ts';
import { isMachine, type Label, type Origin } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';

export const BACKGROUNDS = ['labelled', 'all', 'none'] as const;
/** `labelled`: those that a detector went over, or that people or an import looked at; `all`: the others too. */
export type Background = (typeof BACKGROUNDS)[number];

type LookStore = Pick<Store, 'candidatesOf' | 'labelsOf'>;

interface Looked {
  readonly store: LookStore;
  readonly detectors: readonly string[];
  /** Default: any. */
  readonly task: string | undefined;
  /** Whose labels the export has. Default: everybody's. */
  readonly origins: readonly Origin[] | undefined;
}

/**
 * Keys of the detectors whose looking counts: none, where the export leaves out what detectors said, and else those that
 * looked for what is in the task. A detector that no run is known of counts in every task.
 */
export async function detectorsThatLooked(
  store: Pick<Store, 'candidateModels' | 'runs'>,
  { task, origins }: Pick<Looked, 'task' | 'origins'>,
): Promise<string[]> {
  if (origins !== undefined && !origins.includes('detector')) return [];
  const keys = (await store.candidateModels()).map(({ modelKey }) => modelKey);
  if (task === undefined || keys.length === 0) return keys;
  const tasks = new Map<string, Set<unknown>>();
  for (const { modelKey, settings } of await store.runs({ stage: 'detect' })) {
    if (modelKey !== null) tasks.set(modelKey, (tasks.get(modelKey) ?? new Set()).add(settings.task));
  }
  return keys.filter((key) => tasks.get(key)?.has(task) ?? true);
}

/** Images asked about at once. */
const PAGE = 256;

/** The images without those with no label that nobody looked at and no detector went over; these are counted. */
export async function* lookedAt(
  { store, detectors, task, origins }: Looked,
  images: AsyncIterable<DatasetImage>,
  onLeftOut: () => void,
): AsyncGenerator<DatasetImage> {
  const isAsked = (origin: Origin) => origins?.includes(origin) ?? true;
  // Regions that the query left no label of: of less confidence, or deleted. Those of other tasks and origins are no look.
  const withRegionsOfTask = async (bare: readonly DatasetImage[]) => {
    const regions = bare.flatMap(({ regions, deleted = [] }) => [...regions, ...deleted].map(({ id }) => id));
    const said = regions.length === 0 ? new Map<ItemId, Label[]>() : await store.labelsOf(regions, task);
    const asked = (id: ItemId) => said.get(id)?.some(({ origin }) => isAsked(origin));
    const isLook = ({ regions, deleted = [] }: DatasetImage) =>
      regions.some(({ id }) => asked(id)) || deleted.some(({ id }) => (said.get(id)?.length ?? 0) > 0);
    return bare.filter(isLook).map(({ id }) => id);
  };
  let page: DatasetImage[] = [];
  const checked = async function* () {
    const bare = page.filter((image) => !isAnnotated(image));
    const ids = bare.map(({ id }) => id);
    const seen = new Set<string>();
    // A word about the whole image that is none of a class: a person's "none of these", or that a file had it without boxes.
    for (const [id, labels] of await store.labelsOf(ids, task))
      if (labels.some(({ origin }) => !isMachine(origin) && isAsked(origin))) seen.add(id);
    for (const id of await withRegionsOfTask(bare)) seen.add(id);
    for (const detector of ids.length > 0 ? detectors : []) {
      for (const id of (await store.candidatesOf(detector, ids)).keys()) seen.add(id);
    }
    for (const image of page) {
      if (isAnnotated(image) || seen.has(image.id)) yield image;
      else onLeftOut();
    }
    page = [];
  };
  for await (const image of images) {
    page.push(image);
    if (page.length === PAGE) yield* checked();
  }
  yield* checked();
}

/** A class was said of it or of a part of it, be it that it is not there. */
function isAnnotated({ labels, regions, rejected = [] }: DatasetImage): boolean {
  const parts = regions.some((region) => region.labels.length + (region.rejected?.length ?? 0) > 0);
  return parts || labels.length + rejected.length > 0;
}
