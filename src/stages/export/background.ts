/**
 * Which images with no label an export takes along. In formats of boxes such an image is background, by which a detector
 * learns what not to find: so one that nobody has looked at must not be among them without a word.
 */
import type { DatasetImage } from '../../core/dataset.ts';
import { isMachine, type Origin } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';

export const BACKGROUNDS = ['labelled', 'all', 'none'] as const;
/** `labelled`: those that a detector went over, or that people or an import looked at; `all`: the others too. */
export type Background = (typeof BACKGROUNDS)[number];

type LookStore = Pick<Store, 'candidateModels' | 'candidatesOf' | 'labelsOf'>;

interface Looked {
  readonly store: LookStore;
  readonly detectors: readonly string[];
  /** Default: any. */
  readonly task: string | undefined;
  /** Whose labels the export has. Default: everybody's. */
  readonly origins: readonly Origin[] | undefined;
}

/** Keys of the detectors whose looking counts: none, where the export leaves out what detectors said. */
export async function detectorsThatLooked(store: LookStore, origins?: readonly Origin[]): Promise<string[]> {
  if (origins !== undefined && !origins.includes('detector')) return [];
  return (await store.candidateModels()).map(({ modelKey }) => modelKey);
}

/** Images asked about at once. */
const PAGE = 256;

/** The images without those with no label that nobody looked at and no detector went over; these are counted. */
export async function* lookedAt(
  { store, detectors, task, origins }: Looked,
  images: AsyncIterable<DatasetImage>,
  onLeftOut: () => void,
): AsyncGenerator<DatasetImage> {
  let page: DatasetImage[] = [];
  const checked = async function* () {
    const bare = page.filter((image) => !isAnnotated(image)).map(({ id }) => id);
    const seen = new Set<string>();
    // A word about the whole image that is none of a class: a person's "none of these", or that a file had it without boxes.
    for (const [id, labels] of await store.labelsOf(bare, task))
      if (labels.some(({ origin }) => !isMachine(origin) && (origins?.includes(origin) ?? true))) seen.add(id);
    for (const detector of bare.length > 0 ? detectors : []) {
      for (const id of (await store.candidatesOf(detector, bare)).keys()) seen.add(id);
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

/** Something was said of it, be it that a thing is not there. */
function isAnnotated({ labels, regions, rejected = [], deleted = [] }: DatasetImage): boolean {
  return labels.length + regions.length + rejected.length + deleted.length > 0;
}
