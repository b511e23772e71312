/**
 * The images that people looked through, with their boxes of the classes that are to be taught: what a detector learns from
 * and is judged on. An image counts as looked through where a person or an import said anything of it or of a region in it;
 * then it holds no other objects of these classes. Images with audit items are left out.
 *
 * Resident: about 100 bytes an image and 60 a box.
 */
import type { Box } from '../../../core/boxes.ts';
import { plural } from '../../../core/count-text.ts';
import type { DatasetImage, LabelValue } from '../../../core/dataset.ts';
import type { ImageId } from '../../../core/ids.ts';
import { LabelsmithError } from '../../../errors.ts';
import { planSplits } from '../../../formats/splits.ts';
import type { Store } from '../../../store/store.ts';

export interface AnnotatedImage {
  readonly id: ImageId;
  readonly boxes: readonly AnnotatedBox[];
  /** Judged on and never learned from. Whole groups are. */
  readonly heldOut: boolean;
}

export interface AnnotatedBox {
  /** Pixels of the upright image. */
  readonly box: Box;
  /** Index of the class. */
  readonly class: number;
  readonly crowd: boolean;
}

export interface AnnotatedImages {
  readonly classNames: readonly string[];
  /** In order of id. */
  readonly images: readonly AnnotatedImage[];
  /** Classes with too few boxes, which are left out. */
  readonly tooFew: readonly { readonly className: string; readonly boxes: number }[];
}

export interface AnnotatedOptions {
  readonly task: string;
  /** Default: those of the task that the detector does not know. */
  readonly classes?: readonly string[];
  /** Classes of the detector. */
  readonly known: readonly string[];
  /** A class needs as many boxes. */
  readonly minBoxes: number;
  /** Share of the images, 0 to 1. */
  readonly heldOut: number;
  readonly seed: number;
}

export async function annotatedImages(store: Store, options: AnnotatedOptions): Promise<AnnotatedImages> {
  const { task, known, minBoxes, heldOut, seed } = options;
  const audited = await store.auditedItems(task);
  const found: DatasetImage[] = [];
  const counts = new Map<string, number>();
  for await (const image of store.dataset({ task, unlabelled: true, splits: 'none' })) {
    if (!isLookedThrough(image) || isAudited(image, audited)) continue;
    const slim = slimImage(image);
    found.push(slim);
    for (const { labels } of slim.regions)
      for (const { className } of labels) counts.set(className, (counts.get(className) ?? 0) + 1);
  }
  const wanted = options.classes ?? [...counts.keys()].filter((name) => !known.includes(name)).sort();
  const tooFew = wanted
    .map((className) => ({ className, boxes: counts.get(className) ?? 0 }))
    .filter(({ boxes }) => boxes < minBoxes);
  const classNames = wanted.filter((name) => !tooFew.some(({ className }) => className === name));
  if (classNames.length === 0) throw nothingToTeach(task, tooFew, { minBoxes, isNamed: options.classes !== undefined });
  const plan = await planSplits(
    yielded(found, classNames),
    [
      { name: 'taught', fraction: 1 - heldOut },
      { name: 'held-out', fraction: heldOut },
    ],
    seed,
  );
  const images = found.map((image) => ({
    id: image.id,
    boxes: boxesOf(image, classNames),
    heldOut: plan.splitOf(image) === 'held-out',
  }));
  refuseOneSided(images, heldOut);
  return { classNames, images, tooFew };
}

/** There have to be boxes to learn from, and images to judge it on. */
function refuseOneSided(images: readonly AnnotatedImage[], share: number): void {
  const judged = images.filter((image) => image.heldOut);
  const taught = images.filter((image) => !image.heldOut && image.boxes.length > 0);
  const looked = `of ${plural(images.length, 'image')} that people looked through`;
  if (judged.length === 0) {
    throw new LabelsmithError(
      'USAGE',
      `--hold-out ${share} holds out none ${looked}, so there is nothing to judge it on.`,
      {
        hint: 'Give a larger share, such as --hold-out 0.2, or look through more images. Near-duplicates stay on one side.',
      },
    );
  }
  if (taught.length === 0) {
    throw new LabelsmithError(
      'USAGE',
      `--hold-out ${share} ${looked} leaves none with a box of these classes to learn from.`,
      {
        hint: 'Give a smaller share, such as --hold-out 0.2, or look through more images. Near-duplicates stay on one side.',
      },
    );
  }
}

const ANNOTATORS: readonly LabelValue['origin'][] = ['human', 'imported'];

function isSaid({ origin }: LabelValue): boolean {
  return ANNOTATORS.includes(origin);
}

function isLookedThrough({ labels, rejected = [], regions, deleted = [] }: DatasetImage): boolean {
  if (rejected.length > 0 || deleted.length > 0 || labels.some(isSaid)) return true;
  return regions.some((region) => region.touched || region.rejected?.length || region.labels.some(isSaid));
}

function isAudited({ id, regions }: DatasetImage, audited: ReadonlySet<string>): boolean {
  return audited.has(id) || regions.some((region) => audited.has(region.id));
}

/** What is needed of it later. */
function slimImage(image: DatasetImage): DatasetImage {
  const { id, file, width, height, groupId } = image;
  const regions = image.regions.flatMap((region) => {
    const labels = region.labels.filter(isSaid);
    return labels.length === 0 ? [] : [{ ...region, labels, mask: null, polygons: null, keypoints: null }];
  });
  return { id, file, width, height, groupId, split: null, labels: [], regions };
}

/** With the labels of these classes alone, so that the split has its share of each. */
async function* yielded(images: readonly DatasetImage[], classNames: readonly string[]): AsyncGenerator<DatasetImage> {
  for (const image of images) {
    const regions = image.regions.map((region) => ({
      ...region,
      labels: region.labels.filter(({ className }) => classNames.includes(className)),
    }));
    yield { ...image, regions };
  }
}

function boxesOf({ regions }: DatasetImage, classNames: readonly string[]): AnnotatedBox[] {
  return regions.flatMap(({ box, labels, crowd }) =>
    labels.flatMap(({ className }) => {
      const index = classNames.indexOf(className);
      return index < 0 ? [] : [{ box, class: index, crowd }];
    }),
  );
}

function nothingToTeach(
  task: string,
  tooFew: AnnotatedImages['tooFew'],
  { minBoxes, isNamed }: { readonly minBoxes: number; readonly isNamed: boolean },
): LabelsmithError {
  const least = `at least ${plural(minBoxes, 'box', 'boxes')} by people or from an import`;
  const named = tooFew.map(({ className, boxes }) => `${className} ${boxes}`).join(', ');
  return new LabelsmithError(
    'NOT_FOUND',
    `No class of the task "${task}" that ${isNamed ? 'was named' : 'the detector does not know'} has ${least}${named ? ` (${named})` : ''}.`,
    {
      hint:
        'Draw boxes in labelsmith review, or labelsmith import coco FILE --as human; --min-boxes N takes classes with fewer, ' +
        '--classes names classes that it knows.',
    },
  );
}
