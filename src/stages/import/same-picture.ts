/** One picture under several names: what is said of it under one that contradicts another. */
import { BoxIndex } from '../../core/box-index.ts';
import { iou } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { ImageId } from '../../core/ids.ts';
import type { ImageRecord } from '../../core/image.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import { spelling } from './classes.ts';
import { AnnotatedClasses } from './resolve.ts';

/** What a file says of an image that was found. */
interface FoundEntry extends ImportedImage {
  readonly image: Pick<ImageRecord, 'id'>;
}

/** From so many classes of one image on it is asked whether that is meant: no list of keywords is longer. */
const VERY_MANY_CLASSES = 25;

/** One picture under two names, in the folders of two classes or in two splits; and one of very many classes. */
export class ContradictionsOfImages {
  /** Images of more than one file. */
  readonly inSeveralFiles = new Set<ImageId>();
  readonly #counts = new Map<ImageId, number>();
  readonly #classes = new AnnotatedClasses();
  readonly #files = new AnnotatedClasses();
  readonly #splits = new AnnotatedClasses();
  readonly #reckoning: Reckoning;

  constructor(reckoning: Reckoning) {
    this.#reckoning = reckoning;
  }

  add({ file, where, image, labels, split, answer }: FoundEntry): void {
    if (answer) return;
    if (split !== null && this.#splits.another('split', image.id, split))
      this.#reckoning.note('split-contradicts', where, `${file} is in ${split}, and was in another one`);
    // An entry has all classes of an image, or each has one.
    const count = (this.#counts.get(image.id) ?? 0) + labels.length;
    if (labels.length > 0) this.#counts.set(image.id, count);
    if (count >= VERY_MANY_CLASSES && count - labels.length < VERY_MANY_CLASSES)
      this.#reckoning.note('many-classes', where, `${file}: ${count} or more`);
    // Several classes of one file are told elsewhere: they may all be meant.
    const otherFile = this.#files.another('file', image.id, file);
    if (otherFile) this.inSeveralFiles.add(image.id);
    for (const { task, className } of labels)
      if (this.#classes.another(task, image.id, spelling(className)) && otherFile)
        this.#reckoning.note(
          'image-contradicts',
          where,
          `${file} is ${JSON.stringify(className)}, and the same picture was another class`,
        );
  }
}

/** Boxes of one thing that were drawn once, and written by two tools. */
const SAME_BOX_IOU = 0.9;

interface Placed {
  readonly file: string;
  readonly region: ImportedRegion;
}

/**
 * Goes through the entries again where pictures are there under several names, and notes objects that have another class under
 * another name. Both are kept: which is right cannot be told. Resident: the regions of those pictures.
 */
export async function noteOtherClasses(
  entries: () => AsyncIterable<FoundEntry>,
  images: ReadonlySet<ImageId>,
  reckoning: Reckoning,
): Promise<void> {
  if (images.size === 0) return;
  const places = new Map<ImageId, BoxIndex<Placed>>();
  for await (const { file, where, image, regions, answer } of entries()) {
    if (answer || !images.has(image.id)) continue;
    const index = places.get(image.id) ?? new BoxIndex<Placed>();
    places.set(image.id, index);
    for (const region of regions) {
      const there: Placed[] = [];
      index.visitNear(region.box, (other) => {
        if (other.file !== file && iou(other.region.box, region.box) >= SAME_BOX_IOU) there.push(other);
      });
      const said = namesOf(region);
      if (there.length === 0 || there.some((other) => namesOf(other.region) === said)) continue;
      const others = there.map((other) => `${namesOf(other.region)} in ${other.file}`);
      reckoning.note('object-contradicts', region.where ?? where, `${file}: ${said}, and ${others.join(' and ')}`);
    }
    for (const region of regions) index.add(region.box, { file, region });
  }
}

function namesOf({ labels }: ImportedRegion): string {
  return [...new Set(labels.map(({ className }) => JSON.stringify(className)))].sort().join(' and ');
}
