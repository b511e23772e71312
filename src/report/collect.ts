/**
 * Gathers the report from the store in one pass over the images. Bounded: a few dozen exemplars a class, the largest
 * groups, the first of everything long; and pictures only until `maxPictures` or `maxPictureBytes` is reached. The same
 * records give the same report.
 *
 * Resident: what {@link ImagePass} holds, at most 20,000 vectors while exemplars are chosen, and the pictures.
 */
import { chunks } from '../core/chunks.ts';
import type { ImageId } from '../core/ids.ts';
import { QUALITY_FLAGS } from '../core/image.ts';
import { taxonomy } from '../corpus/corpus.ts';
import { countedImages, TaskOwners } from '../corpus/task-owner.ts';
import type { ClassRecord, QuarantineRow, RunRecord, SimilarPair, Store, StoreSummary } from '../store/store.ts';
import { ImagePass } from './image-pass.ts';
import { ABSOLUTE, type PathNames, type Paths, pathNames } from './paths.ts';
import { pictureOrder, type ReadThumbnail, readPictures } from './pictures.ts';
import type { GatheredSection, ReportClass, ReportData, ReportFlag, ReportGroup } from './report-data.ts';
import { readShapes } from './shapes.ts';
import { chooseTypical, type ReadVectors } from './typical.ts';

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
  | 'corpus'
  | 'regionsOf'
>;

export interface CollectOptions {
  readonly title: string;
  readonly version: string;
  /** Milliseconds since 1970, printed as the report's time. */
  readonly nowMs: number;
  /** Pictures shown of a class at most (default 24), a quarter of them the least confident ones. */
  readonly maxExemplars?: number;
  /** Embeddings by which exemplars are chosen (default: there are none, and perceptual hashes do). */
  readonly vectors?: ReadVectors;
  /** Pictures in all (default 1000): each is decoded for the report, in about 10 ms. Classes share them evenly. */
  readonly maxPictures?: number;
  /** Bytes of all pictures together (default 12 MB; in the file they take a third more). */
  readonly maxPictureBytes?: number;
  /** How paths are shown (default: `names`, which has no absolute path in it). */
  readonly paths?: Paths;
  /** What `gatherSections` gave (default: none). */
  readonly gathered?: readonly GatheredSection[];
}

const MAX_FLAG_EXAMPLES = 12;
const MAX_QUARANTINE_ROWS = 200;
const MAX_RUNS = 50;
const PAGE = 256;

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
  const names = options.paths === 'absolute' ? ABSOLUTE : pathNames(sources);
  const doubtful = Math.floor(maxExemplars / 4);
  const places = { typical: maxExemplars - doubtful, doubtful };
  const pass = await readImages(store, summary, new TaskOwners(records), new ImagePass(await taxonomy(store), places));
  const classes = await withExemplars(store, pass, records, places.typical, options.vectors ?? (async () => new Map()));
  const groups = await withKinds(store, pass.largestGroups());
  const quality = await readFlags(store, summary);
  const gathered = options.gathered ?? [];
  const quarantined = Object.entries(summary.quarantined).map(([reason, count]) => ({ reason, count }));
  const { pictures, leftOut } = await readPictures(
    store,
    readThumbnail,
    pictureOrder(classes, gathered, groups, quality, pass.copies.list()),
    { pictures: options.maxPictures ?? 1000, bytes: options.maxPictureBytes ?? 12e6, names },
  );
  return {
    title: options.title,
    generatedAt: new Date(options.nowMs).toISOString(),
    version: options.version,
    sources: sources.map(names.path),
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
    tree: pass.tree(),
    copies: pass.copies.list().map((copies) => ({ ...copies, paths: copies.paths.map(names.path) })),
    groups,
    quality,
    quarantine: {
      total: quarantined.reduce((sum, { count }) => sum + count, 0),
      reasons: quarantined.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
      rows: await firstRows(store.quarantine(), names),
    },
    runs: runs.map((run) => withNames(run, names)),
    gathered,
    pictures,
    shapes: await readShapes(store, classes, pictures),
    picturesLeftOut: leftOut,
  };
}

async function readImages(
  store: ReportStore,
  summary: StoreSummary,
  owners: TaskOwners,
  pass: ImagePass,
): Promise<ImagePass> {
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
  for await (const image of countedImages(owners, store.dataset({ unlabelled: true }))) {
    pass.add(image);
    if (lookForCopies && ids.push(image.id) === PAGE) await flush();
  }
  if (ids.length > 0) await flush();
  return pass;
}

async function withExemplars(
  store: ReportStore,
  pass: ImagePass,
  records: readonly ClassRecord[],
  places: number,
  vectors: ReadVectors,
): Promise<ReportClass[]> {
  const recordOf = new Map(records.map((record) => [record.name, record]));
  const tallies = pass.classes();
  const chosen = await chooseTypical(tallies, places, vectors, async (ids) => {
    const hashes = new Map<ImageId, string>();
    for (const page of chunks(ids, PAGE)) {
      for (const image of await Promise.all(page.map((id) => store.image(id)))) {
        if (image) hashes.set(image.id, image.perceptualHash);
      }
    }
    return hashes;
  });
  return tallies.map((tally, i) => {
    const { name, task, images, regions, meanConfidence, origins } = tally;
    const record = recordOf.get(name);
    const typical = chosen[i];
    const shown = new Set(typical.map(({ imageId }) => imageId));
    return {
      name,
      task,
      images,
      regions,
      meanConfidence,
      origins,
      synonyms: record?.synonyms ?? [],
      parent: record?.parent ?? null,
      description: record?.description ?? null,
      typical,
      doubtful: tally.doubtful.list().filter(({ imageId }) => !shown.has(imageId)),
    };
  });
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

async function firstRows(pages: AsyncIterable<readonly QuarantineRow[]>, names: PathNames): Promise<QuarantineRow[]> {
  const rows: QuarantineRow[] = [];
  for await (const page of pages) {
    rows.push(...page.slice(0, MAX_QUARANTINE_ROWS - rows.length));
    if (rows.length === MAX_QUARANTINE_ROWS) break;
  }
  return rows.map((row) => ({ ...row, path: names.path(row.path), message: names.text(row.message) }));
}

function withNames(run: RunRecord, names: PathNames): RunRecord {
  const settings = Object.entries(run.settings).map(([key, value]) => [key, names.value(value)]);
  return { ...run, settings: Object.fromEntries(settings) };
}
