/**
 * The reckoning of a reading: what a file held, and what became of each thing in it.
 *
 * Guarantees: counts are exact; of each reason the first `MAX_EXAMPLES` places are kept, each with its file and line or
 * key, so that memory does not grow with the number of problems. Readers and the stages behind them write into one
 * reckoning. It decides nothing: what is mended and what is left out is for them.
 */
import { LabelsmithError, systemCodeOf } from '../errors.ts';

/**
 * What is counted. `rows` are entries of a file: lines of a table or label file, elements of a list; `objects` are
 * regions, `labels` classes said of whole images, `shapes` masks, polygons and keypoints.
 */
export const THINGS = [
  'files',
  'images',
  'rows',
  'objects',
  'shapes',
  'labels',
  'attributes',
  'splits',
  'classes',
] as const;
export type Thing = (typeof THINGS)[number];

/** `told`: taken as it came, and worth a look. */
export type Outcome = 'mended' | 'left out' | 'told';

interface Reason {
  readonly thing: Thing;
  readonly outcome: Outcome;
  /** Goes after "3 objects left out:". */
  readonly text: string;
}

const mended = (thing: Thing, text: string): Reason => ({ thing, outcome: 'mended', text });
const leftOut = (thing: Thing, text: string): Reason => ({ thing, outcome: 'left out', text });
const told = (thing: Thing, text: string): Reason => ({ thing, outcome: 'told', text });

/** Every reason there is, by the key that `--json` names it with. */
export const REASONS = {
  'file-unreadable': leftOut('files', 'cannot be read'),
  'folder-unreadable': leftOut('files', 'the folder cannot be read, and nothing in it is counted'),
  'file-passed-over': leftOut('files', 'passed over'),
  'shard-corrected': told('files', 'not as they were exported: taken as corrected'),
  'archive-without-end': told('files', 'the archive has no end: it may be cut off between two samples'),
  'masks-passed-over': told('files', 'masks as pictures beside XML files of boxes: the boxes are read'),
  'image-unreadable': leftOut('images', 'cannot be read'),
  'image-in-no-class': leftOut('images', 'in no folder of a class'),
  'image-not-labelled': told('images', 'nobody labelled it in the tool: taken as one without labels'),
  'label-file-missing': told(
    'images',
    'listed, but neither the picture nor its label file is there: taken as one without labels',
  ),
  'set-not-labelled': told('images', 'its set has no label file at all: taken as one without labels'),
  // A job that is under way is exported with its open images (cvat-ai/cvat#5822).
  'nothing-drawn': told(
    'images',
    'nothing is drawn on it: CVAT writes images that nobody has looked at yet too, so it is not taken for background (export --background all takes it)',
  ),
  'draft-passed-over': leftOut('rows', 'a draft that nobody handed in'),
  'annotation-cancelled': leftOut('rows', 'skipped by the annotator'),
  'prediction-replaced': told('rows', 'a prediction that somebody made an annotation of: the annotation is taken'),
  'row-unreadable': leftOut('rows', 'cannot be read'),
  'label-unreadable': leftOut('labels', 'cannot be read'),
  'object-unreadable': leftOut('objects', 'cannot be read'),
  'object-of-no-image': leftOut('objects', 'of an image that is not in the file'),
  'object-of-no-class': leftOut('objects', 'of a class that is not in the file'),
  'object-ignored': leftOut('objects', 'marked in the file as none to learn from (DontCare, ignore)'),
  'object-elsewhere': leftOut('objects', 'its outline is at an address, which is not asked'),
  'corners-swapped': mended('objects', 'corners in the wrong order were sorted'),
  'box-of-five': told('objects', 'five numbers were taken as centre, size and an angle counter-clockwise'),
  'box-from-shape': mended('objects', 'without a box: it was taken from the shape'),
  'box-in-fractions': mended('objects', 'a box of 0 to 1 was taken as fractions of the image'),
  'curve-as-lines': told('shapes', 'a curve: straight lines between its points are what is kept'),
  'hole-filled': leftOut('shapes', 'a hole of a polygon'),
  'shape-as-box': told('shapes', 'no box and no polygon: the box around it is what is kept'),
  'corners-as-box': mended(
    'objects',
    'four corners that are no rectangle: the smallest turned box around them is kept',
  ),
  'object-twice': leftOut('objects', 'the same object was said before'),
  'polygon-left-out': leftOut('shapes', 'a polygon without an area'),
  'mask-left-out': leftOut('shapes', 'a mask of which nothing can be made'),
  'mask-runs-mended': mended('shapes', 'runs of a mask that did not add up were filled up or cut'),
  'mask-cropped': mended('shapes', 'a mask reached over the edge of the image and was cut'),
  'keypoints-left-out': leftOut('shapes', 'keypoints that cannot be read'),
  'visibility-from-confidence': mended('shapes', 'confidences of keypoints were made visibilities'),
  'class-unreadable': leftOut('classes', 'cannot be read'),
  'skeleton-left-out': leftOut('attributes', 'a skeleton that cannot be read'),
  'confidence-dropped': leftOut('attributes', 'a confidence that is not from 0 to 1'),
  'origin-dropped': leftOut('attributes', 'an origin that is none'),
  'size-dropped': leftOut('attributes', 'a size that is none'),
  'column-passed-over': leftOut('attributes', 'a column of which nothing is made'),
  'half-character': mended('attributes', 'half a character (a lone surrogate) in a name became U+FFFD'),
  'annotator-dropped': leftOut('attributes', 'a name of an annotator that cannot be kept: the labels are nobody’s'),
  'attribute-twice': told('attributes', 'said twice with different values: both are kept, side by side'),
  'attribute-passed-over': leftOut('attributes', 'nothing is made of it'),
  // What the images and the workspace decide.
  'no-image': leftOut('images', 'no image of that name was added'),
  'several-images': leftOut('images', 'several added images could be meant'),
  'name-of-upload': told('images', 'found by the name without the eight digits that Label Studio put before it'),
  'objects-unmatched': leftOut('objects', 'on an image that was not added'),
  'labels-unmatched': leftOut('labels', 'of an image that was not added'),
  'frame-scaled': mended('images', 'of another size here than in the file: labels were scaled'),
  'frame-turned': mended('images', 'labelled before it was turned upright: labels were turned'),
  'frame-unknown': leftOut('objects', 'the image has another size and shape here than in the file'),
  'box-clipped': mended('objects', 'reached over the edge of the image and was clipped'),
  'box-outside': leftOut('objects', 'outside of the image'),
  'box-far-outside': leftOut('objects', 'so far out of the image that it cannot be meant for it'),
  'box-empty': leftOut('objects', 'a box without width or height'),
  'keypoints-clipped': mended('shapes', 'a keypoint outside of the image was moved to its edge'),
  'mask-other-size': leftOut('shapes', 'a mask of another size than the image'),
  'too-many-objects': leftOut('objects', 'too many on one image'),
  'class-unified': mended('labels', 'of a class that is written a little otherwise here'),
  'box-in-images-task': leftOut('objects', 'a box in a task of whole images (--task puts it into one of boxes)'),
  'class-of-boxes': leftOut(
    'labels',
    'a class of the whole image in a task of boxes, where it follows from the boxes: correct these',
  ),
  'class-spellings': mended('labels', 'of a class that the file spells in several ways: it is one class'),
  'class-not-there': leftOut('labels', 'of a class that is not there (--classes existing)'),
  'object-class-not-there': leftOut('objects', 'of a class that is not there (--classes existing)'),
  'class-near-miss': told('classes', 'new, and nearly the name of one that is there'),
  'class-contradicts': told(
    'labels',
    'another class than a row before says: the last said holds (--task labels keeps all of them)',
  ),
  'image-contradicts': told('images', 'contradiction: one picture is said to be of two classes'),
  'object-contradicts': told(
    'objects',
    'contradiction: one picture under two names, and its box is of another class under the other one; both are kept',
  ),
  'cell-as-one-class': told('labels', 'taken as one class: if it is several, part them by ; in a column called labels'),
  'many-classes': told('images', 'of very many classes: if that is not meant, another column has the class'),
  'votes-merged': mended('objects', 'boxes of several annotators of one thing were made one'),
  'voice-joined': told('objects', 'boxes of what a person had drawn before: a second voice for it, no second box'),
  'people-disagree': told('objects', 'boxes of another class where a person had drawn one: both are kept'),
  'annotators-disagree': told('labels', 'annotators disagree'),
  'person-contradicted': told('objects', 'a person had said otherwise before; the newer word holds, the older is kept'),
  'newer-than-export': told('objects', 'not in the export, which left it out or is older; kept'),
  'changed-since-export': told(
    'objects',
    'changed here since the export, and in the file as it was; kept as it is here (to change them back: Undo in labelsmith review, or export again with --replace and change that)',
  ),
  'maybe-newer': told(
    'objects',
    'not in the file, nor in every export that it may be a copy of; kept (the folder of the export has a marker that says which)',
  ),
  'unknown-export': told(
    'objects',
    'not in the file, and which export it is a copy of is not known; kept (--replace removes what the file lacks)',
  ),
  'turned-in-tool': told(
    'objects',
    'the picture was turned in the tool (image_rotation); places are taken as of the picture that is not',
  ),
  'split-contradicts': told('splits', 'contradiction: one picture stands in two of them, and the last one holds'),
  'split-missing': leftOut('splits', 'the folder or list is not there'),
} as const satisfies Readonly<Record<string, Reason>>;
export type ReasonKey = keyof typeof REASONS;

/** Places kept of each reason. */
const MAX_EXAMPLES = 20;
/** Longest text of an example: what is wrong may quote a file. */
const MAX_TEXT = 300;

export interface Example {
  /** A file with a line or key path: `labels.csv:17`, `c.json annotations[3].bbox`. */
  readonly where: string;
  /** What was wrong there, where the reason alone does not say it. */
  readonly what?: string;
}

export interface Problem {
  readonly reason: ReasonKey;
  readonly thing: Thing;
  readonly outcome: Outcome;
  readonly text: string;
  readonly count: number;
  readonly examples: readonly Example[];
}

export interface Count {
  /** `taken` and `leftOut` together. */
  readonly read: number;
  readonly taken: number;
  /** Taken otherwise than it came; what was mended in two ways counts twice. */
  readonly mended: number;
  readonly leftOut: number;
}

export interface ReckoningReport {
  /** Things that did not occur are left out. */
  readonly counts: Readonly<Partial<Record<Thing, Count>>>;
  /** In the order of {@link REASONS}. */
  readonly problems: readonly Problem[];
}

export class Reckoning {
  readonly #taken = new Map<Thing, number>();
  readonly #problems = new Map<ReasonKey, { count: number; examples: Example[] }>();

  take(thing: Thing, count = 1): void {
    if (count > 0) this.#taken.set(thing, (this.#taken.get(thing) ?? 0) + count);
  }

  /** @param count how many things the place stands for */
  note(reason: ReasonKey, where: string, what?: string, count = 1): void {
    if (count === 0) return;
    const known = this.#problems.get(reason) ?? { count: 0, examples: [] };
    known.count += count;
    if (known.examples.length < MAX_EXAMPLES) {
      known.examples.push({ where: short(where), ...(what === undefined ? {} : { what: short(what) }) });
    }
    this.#problems.set(reason, known);
  }

  /** What `parse` gives; where it fails with `BAD_FILE`, the thing is left out for this reason and null comes back. */
  attempt<T>(reason: ReasonKey, parse: () => T): T | null {
    try {
      return parse();
    } catch (error) {
      const place = faultOf(error);
      if (place === null) throw error;
      this.note(reason, place.where, place.what);
      return null;
    }
  }

  /**
   * The same for what is read meanwhile: one file of many.
   * @param file its name, by which what the system refuses to give is told
   */
  async attemptFile<T>(reason: ReasonKey, read: () => Promise<T>, file?: string): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.tellFault(reason, error, { file });
      return null;
    }
  }

  /**
   * Tells what is wrong with a thing by the error that its reader threw. Any other error is thrown on.
   * @param after what else there is to say
   */
  tellFault(
    reason: ReasonKey,
    error: unknown,
    { file, after }: { readonly file?: string; readonly after?: string },
  ): void {
    const place = faultOf(error) ?? (file === undefined ? null : lossOf(error, file));
    if (place === null) throw error;
    this.note(reason, place.where, after === undefined ? place.what : `${place.what}; ${after}`);
  }

  count(outcome: Outcome): number {
    let sum = 0;
    for (const [reason, { count }] of this.#problems) if (REASONS[reason].outcome === outcome) sum += count;
    return sum;
  }

  /**
   * What `read` gives, marked as incomplete where it left out objects, or rows that may be some. Nothing else may write
   * into the reckoning meanwhile.
   */
  async markingLosses<T extends object>(read: () => T | Promise<T>): Promise<T & { readonly incomplete?: true }> {
    const before = this.#lostObjects();
    const entry = await read();
    return this.#lostObjects() === before ? entry : { ...entry, incomplete: true };
  }

  #lostObjects(): number {
    let sum = 0;
    for (const [reason, { count }] of this.#problems) {
      const { thing, outcome } = REASONS[reason];
      if (outcome === 'left out' && (thing === 'objects' || thing === 'rows')) sum += count;
    }
    return sum;
  }

  report(): ReckoningReport {
    const problems = (Object.keys(REASONS) as ReasonKey[]).flatMap((reason): Problem[] => {
      const known = this.#problems.get(reason);
      return known === undefined ? [] : [{ reason, ...REASONS[reason], ...known }];
    });
    const sum = (thing: Thing, outcome: Outcome) =>
      problems
        .filter((problem) => problem.thing === thing && problem.outcome === outcome)
        .reduce((total, { count }) => total + count, 0);
    const counts: Partial<Record<Thing, Count>> = {};
    for (const thing of THINGS) {
      const [taken, out, better] = [this.#taken.get(thing) ?? 0, sum(thing, 'left out'), sum(thing, 'mended')];
      if (taken + out + better > 0) counts[thing] = { read: taken + out, taken, mended: better, leftOut: out };
    }
    return { counts, problems };
  }
}

/** The place and the fault of an error that a reader threw about one thing of a file; null for any other error. */
function faultOf(error: unknown): { where: string; what: string } | null {
  if (!(error instanceof LabelsmithError) || error.code !== 'BAD_FILE') return null;
  const { where, what } = error.details;
  return typeof where === 'string' && typeof what === 'string' ? { where, what } : null;
}

/** What the system says of one file alone, not of the disk or of the process. */
const LOST: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there any more',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  EIO: 'the disk cannot give it',
};

function lossOf(error: unknown, where: string): { where: string; what: string } | null {
  const gone = error instanceof LabelsmithError && error.code === 'NOT_FOUND';
  const what = LOST[gone ? 'ENOENT' : (systemCodeOf(error) ?? '')];
  return what === undefined ? null : { where, what };
}

function short(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
