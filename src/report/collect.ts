/**
 * Gathers the report from the store in one pass over the images. Bounded: a few dozen exemplars a class, the largest
 * groups, the first of everything long; and pictures only until `maxPictureBytes` is reached. The same records give the
 * same report.
 *
 * Resident: about 15 kB a class, 1 kB a group of several images, and the pictures.
 */
import type { Box } from '../core/boxes.ts';
import type { DatasetImage, LabelValue } from '../core/dataset.ts';
import type { ImageId } from '../core/ids.ts';
import { type ImagePath, QUALITY_FLAGS } from '../core/image.ts';
import type { Origin } from '../core/labels.ts';
import type { ClassRecord, QuarantineRow, SimilarPair, Store, StoreSummary } from '../store/store.ts';
import { BestOfGroups } from './exemplars.ts';
import type {
  Exemplar,
  ReportClass,
  ReportCopies,
  ReportData,
  ReportFlag,
  ReportGroup,
  ReportPicture,
  Thumbnail,
} from './report-data.ts';
import type { GatheredSection } from './sections/section.ts';

/** Gives an image's thumbnail, or null where none can be made any more. */
export type ReadThumbnail = (id: ImageId) => Promise<Thumbnail | null>;

/** What of the store is read. */
export type ReportStore = Pick<
  Store,
  | 'summary'
  | 'classes'
  | 'sourceRoots'
  | 'runs'
  | 'dataset'
  | 'pathsOfImages'
  | 'similarPairs'
  | 'images'
  | 'image'
  | 'quarantine'
>;

export interface CollectOptions {
  readonly title: string;
  readonly version: string;
  /** Milliseconds since 1970, printed as the report's time. */
  readonly nowMs: number;
  /** Pictures shown of a class at most (default 24), a quarter of them the least confident ones. */
  readonly maxExemplars?: number;
  /** Bytes of all pictures together (default 12 MB; in the file they take a third more). Classes share them evenly. */
  readonly maxPictureBytes?: number;
  /** What `gatherSections` gave (default: none). */
  readonly gathered?: readonly GatheredSection[];
}

const MAX_GROUPS = 24;
const MAX_MEMBERS = 12;
const MAX_COPIES = 24;
const MAX_PATHS = 6;
const MAX_FLAG_EXAMPLES = 12;
const MAX_QUARANTINE_ROWS = 200;
const MAX_RUNS = 50;
const PAGE = 256;
/** Thumbnails read at once. */
const READS_AT_ONCE = 8;
/** Exemplars of each class that come before groups and flags when pictures run short. */
const FIRST_EXEMPLARS = 3;

export async function collectReport(
  store: ReportStore,
  readThumbnail: ReadThumbnail,
  options: CollectOptions,
): Promise<ReportData> {
  const maxExemplars = options.maxExemplars ?? 24;
  const [summary, records, sources, runs] = await Promise.all([
    store.summary(),
    store.classes(),
    store.sourceRoots(),
    store.runs({ limit: MAX_RUNS }),
  ]);
  const pass = await readImages(store, summary, maxExemplars);
  const classes = pass.classes(records);
  const groups = await withKinds(store, pass.largestGroups());
  const quality = await readFlags(store, summary);
  const gathered = options.gathered ?? [];
  const quarantined = Object.entries(summary.quarantined).map(([reason, count]) => ({ reason, count }));
  const { pictures, leftOut } = await readPictures(
    store,
    readThumbnail,
    pictureOrder(classes, gathered, groups, quality, pass.copies.list()),
    options.maxPictureBytes ?? 12e6,
  );
  return {
    title: options.title,
    generatedAt: new Date(options.nowMs).toISOString(),
    version: options.version,
    sources,
    totals: {
      images: summary.images,
      labelledImages: pass.labelledImages,
      regions: summary.regions,
      paths: summary.paths,
      duplicatePaths: summary.duplicatePaths,
      groups: pass.groups.size,
      groupedImages: pass.groupedImages(),
      quarantined: quarantined.reduce((sum, { count }) => sum + count, 0),
    },
    classes,
    copies: pass.copies.list(),
    groups,
    quality,
    quarantine: {
      total: quarantined.reduce((sum, { count }) => sum + count, 0),
      reasons: quarantined.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
      rows: await firstRows(store.quarantine()),
    },
    runs,
    gathered,
    pictures,
    picturesLeftOut: leftOut,
  };
}

/** One task's class as it is counted. */
class ClassTally {
  readonly name: string;
  readonly task: string;
  images = 0;
  regions = 0;
  readonly origins: Partial<Record<Origin, number>> = {};
  #confidenceSum = 0;
  #confidences = 0;
  readonly #best: BestOfGroups<Exemplar>;
  readonly #doubtful: BestOfGroups<Exemplar>;

  constructor(name: string, task: string, maxExemplars: number) {
    this.name = name;
    this.task = task;
    const doubtful = Math.floor(maxExemplars / 4);
    this.#best = new BestOfGroups(maxExemplars - doubtful);
    // Those that turn out to be among the best too are dropped at the end.
    this.#doubtful = new BestOfGroups(doubtful);
  }

  /** One image with all its labels of this class: those of regions with their boxes, or else the image's own. */
  add(image: DatasetImage, labels: readonly { readonly label: LabelValue; readonly box: Box | null }[]): void {
    const sorted = [...labels].sort((a, b) => (b.label.confidence ?? 1) - (a.label.confidence ?? 1));
    const boxes = sorted.flatMap(({ box }) => (box ? [box] : []));
    this.images++;
    this.regions += boxes.length;
    for (const { label } of labels) {
      this.origins[label.origin] = (this.origins[label.origin] ?? 0) + 1;
      if (label.confidence === null) continue;
      this.#confidenceSum += label.confidence;
      this.#confidences++;
    }
    const confidence = sorted[0].label.confidence;
    const exemplar = { imageId: image.id, confidence, boxes };
    this.#best.offer(image.groupId, confidence ?? 1, image.id, exemplar);
    this.#doubtful.offer(image.groupId, -(confidence ?? 1), image.id, exemplar);
  }

  finish(record: ClassRecord | undefined): ReportClass {
    const best = this.#best.list();
    const shown = new Set(best.map(({ imageId }) => imageId));
    return {
      name: this.name,
      task: this.task,
      images: this.images,
      regions: this.regions,
      meanConfidence: this.#confidences > 0 ? this.#confidenceSum / this.#confidences : null,
      origins: this.origins,
      synonyms: record?.synonyms ?? [],
      parent: record?.parent ?? null,
      description: record?.description ?? null,
      best,
      doubtful: this.#doubtful.list().filter(({ imageId }) => !shown.has(imageId)),
    };
  }
}

class ImagePass {
  labelledImages = 0;
  /** Groups of several images by id; `count` leaves out the image the group is named after. */
  readonly groups = new Map<ImageId, { count: number; members: ImageId[] }>();
  readonly copies = new BestOfGroups<ReportCopies>(MAX_COPIES);
  readonly #classes = new Map<string, ClassTally>();
  readonly #maxExemplars: number;

  constructor(maxExemplars: number) {
    this.#maxExemplars = maxExemplars;
  }

  add(image: DatasetImage): void {
    if (image.groupId !== image.id) {
      const group = this.groups.get(image.groupId) ?? { count: 0, members: [] };
      group.count++;
      if (group.members.length < MAX_MEMBERS - 1) group.members.push(image.id);
      this.groups.set(image.groupId, group);
    }
    const byClass = new Map<string, { label: LabelValue; box: Box | null }[]>();
    const put = (label: LabelValue, box: Box | null) => {
      const key = `${label.task}\n${label.className}`;
      byClass.set(key, [...(byClass.get(key) ?? []), { label, box }]);
    };
    for (const region of image.regions) for (const label of region.labels) put(label, region.box);
    // An image label of a class that has regions here is derived from them and would count twice.
    for (const label of image.labels) if (!byClass.has(`${label.task}\n${label.className}`)) put(label, null);
    if (byClass.size > 0) this.labelledImages++;
    for (const [key, labels] of byClass) {
      const { className, task } = labels[0].label;
      const tally = this.#classes.get(key) ?? new ClassTally(className, task, this.#maxExemplars);
      this.#classes.set(key, tally);
      tally.add(image, labels);
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

  classes(records: readonly ClassRecord[]): ReportClass[] {
    const recordOf = new Map(records.map((record) => [record.name, record]));
    return [...this.#classes]
      .sort(([a, m], [b, n]) => n.images - m.images || n.regions - m.regions || (a < b ? -1 : 1))
      .map(([, tally]) => tally.finish(recordOf.get(tally.name)));
  }
}

async function readImages(store: ReportStore, summary: StoreSummary, maxExemplars: number): Promise<ImagePass> {
  const pass = new ImagePass(maxExemplars);
  const lookForCopies = summary.duplicatePaths > 0;
  let ids: ImageId[] = [];
  const flush = async () => {
    for (const [id, paths] of await store.pathsOfImages(ids)) {
      pass.addCopies(
        id,
        paths.filter((path) => !path.missing),
      );
    }
    ids = [];
  };
  for await (const image of store.dataset({ unlabelled: true })) {
    pass.add(image);
    if (lookForCopies && ids.push(image.id) === PAGE) await flush();
  }
  if (ids.length > 0) await flush();
  return pass;
}

/** Says of each group what made it one, from the pairs of the members that are shown. */
async function withKinds(store: ReportStore, groups: readonly ReportGroup[]): Promise<ReportGroup[]> {
  if (groups.length === 0) return [];
  const groupOf = new Map(groups.flatMap((group) => group.members.map((id) => [id, group.id] as const)));
  const kinds = new Map<ImageId, Set<SimilarPair['kind']>>();
  for await (const page of store.similarPairs()) {
    for (const { a, b, kind } of page) {
      const group = groupOf.get(a) ?? groupOf.get(b);
      if (group) kinds.set(group, (kinds.get(group) ?? new Set()).add(kind));
    }
  }
  return groups.map((group) => ({ ...group, kinds: [...(kinds.get(group.id) ?? [])].sort() }));
}

async function readFlags(store: ReportStore, summary: StoreSummary): Promise<ReportFlag[]> {
  const flags: ReportFlag[] = [];
  for (const flag of QUALITY_FLAGS) {
    const count = summary.flags[flag] ?? 0;
    if (count === 0) continue;
    const examples: ImageId[] = [];
    for await (const page of store.images({ flag, limit: MAX_FLAG_EXAMPLES })) {
      examples.push(...page.map(({ id }) => id));
    }
    flags.push({ flag, count, examples: examples.slice(0, MAX_FLAG_EXAMPLES) });
  }
  return flags;
}

async function firstRows(pages: AsyncIterable<readonly QuarantineRow[]>): Promise<QuarantineRow[]> {
  const rows: QuarantineRow[] = [];
  for await (const page of pages) {
    rows.push(...page.slice(0, MAX_QUARANTINE_ROWS - rows.length));
    if (rows.length === MAX_QUARANTINE_ROWS) break;
  }
  return rows;
}

/** Which pictures matter most: the first of every class, then what sections gathered, groups, flags and copies, then the rest class by class. */
function pictureOrder(
  classes: readonly ReportClass[],
  gathered: readonly GatheredSection[],
  groups: readonly ReportGroup[],
  quality: readonly ReportFlag[],
  copies: readonly ReportCopies[],
): Set<ImageId> {
  const order = new Set<ImageId>();
  const shown = classes.map(({ best, doubtful }) => interleaved(best, doubtful).map(({ imageId }) => imageId));
  const most = Math.max(0, ...shown.map((list) => list.length));
  const rank = (r: number) => {
    for (const list of shown) if (r < list.length) order.add(list[r]);
  };
  for (let r = 0; r < FIRST_EXEMPLARS; r++) rank(r);
  for (const { pictures } of gathered) for (const id of pictures) order.add(id);
  for (const { members } of groups) for (const id of members) order.add(id);
  for (const { examples } of quality) for (const id of examples) order.add(id);
  for (const { imageId } of copies) order.add(imageId);
  for (let r = FIRST_EXEMPLARS; r < most; r++) rank(r);
  return order;
}

/** Three of the first, one of the second, and so on. */
function interleaved<T>(first: readonly T[], second: readonly T[]): T[] {
  const result: T[] = [];
  for (let i = 0; i < Math.max(Math.ceil(first.length / 3), second.length); i++) {
    result.push(...first.slice(3 * i, 3 * i + 3), ...second.slice(i, i + 1));
  }
  return result;
}

async function readPictures(
  store: ReportStore,
  readThumbnail: ReadThumbnail,
  order: ReadonlySet<ImageId>,
  maxBytes: number,
): Promise<{ pictures: Map<ImageId, ReportPicture>; leftOut: number }> {
  const pictures = new Map<ImageId, ReportPicture>();
  const ids = [...order];
  let bytes = 0;
  for (let start = 0; start < ids.length; start += READS_AT_ONCE) {
    const page = ids.slice(start, start + READS_AT_ONCE);
    const [paths, records, thumbnails] = await Promise.all([
      store.pathsOfImages(page),
      Promise.all(page.map((id) => store.image(id))),
      Promise.all(page.map(readThumbnail)),
    ]);
    for (const [i, id] of page.entries()) {
      const [thumbnail, record] = [thumbnails[i], records[i]];
      if (!thumbnail || !record) continue;
      if (bytes + thumbnail.bytes.length > maxBytes) return { pictures, leftOut: ids.length - start - i };
      bytes += thumbnail.bytes.length;
      pictures.set(id, { file: fileOf(paths.get(id)?.[0], id), width: record.width, height: record.height, thumbnail });
    }
  }
  return { pictures, leftOut: 0 };
}

/** The path below its source. */
function fileOf(path: ImagePath | undefined, id: ImageId): string {
  if (!path) return id;
  const { path: full, sourceRoot } = path;
  return full.startsWith(sourceRoot) ? full.slice(sourceRoot.length).replace(/^(!?[/\\])/, '') || full : full;
}
