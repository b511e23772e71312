/**
 * What a namer is shown: a contact sheet of each cluster, of its images or of what is in its regions, beside those of its nearest
 * others; or of all clusters, a row each, to say which classes are in the pile. Resident: at most {@link MAX_SHEETS} sheets, some
 * 50 kB each.
 */
import { foldClassName } from '../../core/class-name.ts';
import type { ItemId } from '../../core/ids.ts';
import { contactSheet, sheetBesideOthers } from '../../images/contact-sheet.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import { itemPictures } from '../../jobs/item-pictures.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { Store } from '../../store/store.ts';
import { savedModel } from './cluster-model.ts';
import type { Clustering, ClusteringRequest } from './clustering.ts';
import type { Candidate } from './evidence.ts';
import type { ClusteredSample } from './knn-assignment.ts';
import { askForClasses, askNamer, type ProposedClass } from './namer.ts';
import type { NamerOptions } from './namer-request.ts';
import { nearestClusters } from './typical.ts';

/** Pictures of a cluster on its sheet. */
const PICTURES = 9;
const NEIGHBOURS = 2;
const MAX_SHEETS = 64;
/** Pictures a row, and rows a sheet, where all clusters are shown. */
const ROW = 3;
const ROWS = 6;

interface NamerSubject extends Pick<Clustering, 'held'> {
  /** Rows of each cluster, the most typical first. */
  readonly order: readonly (readonly number[])[];
  readonly namer: NamerOptions;
  readonly sample: ClusteredSample;
  readonly vectors: Matrix;
}

interface Sheet {
  readonly shown: number;
  readonly picture: Uint8Array;
}

/** What a model elsewhere calls each cluster that is not people's. */
export async function namerCandidates(
  { effects }: Pick<ClusteringRequest, 'effects'>,
  { order, held, namer, sample, vectors }: NamerSubject,
): Promise<Candidate[][]> {
  const known = await namesKnown(effects.store);
  const typical = order.map((rows) => rows.slice(0, PICTURES).map((row) => sample.ids[row]));
  const pictures = await itemPictures(effects, typical.flat());
  const sheets = new Map<number, Promise<Sheet | undefined>>();
  const sheetOf = (cluster: number) => {
    const there = sheets.get(cluster);
    if (there) return there;
    const made = sheetOfItems(typical[cluster] ?? []);
    sheets.set(cluster, made);
    const [oldest] = sheets.keys();
    if (sheets.size > MAX_SHEETS && oldest !== undefined) sheets.delete(oldest);
    return made;
  };
  const sheetOfItems = async (ids: readonly ItemId[]): Promise<Sheet | undefined> => {
    const shown = await pictures.of(ids);
    if (shown.length === 0) return undefined;
    return { shown: shown.length, picture: await contactSheet(shown.map(({ bytes }) => bytes)) };
  };
  const near = nearestClusters(sample, vectors, order.length, NEIGHBOURS);
  const found: Candidate[][] = [];
  for (const cluster of order.keys()) {
    const sheet = held[cluster] ? undefined : await sheetOf(cluster);
    const others: Uint8Array[] = [];
    for (const other of sheet ? (near[cluster] ?? []) : []) {
      const beside = await sheetOf(other);
      if (beside) others.push(beside.picture);
    }
    const picture = sheet && others.length > 0 ? await sheetBesideOthers(sheet.picture, others) : sheet?.picture;
    const asked = { shown: sheet?.shown ?? 0, known, beside: others.length > 0 };
    const candidate = picture && (await askNamer(picture, asked, namer));
    found.push(candidate ? [candidate] : []);
  }
  return found;
}

/** Which classes the model says are in the pile, of the clusters that are there; each once, in the order in which they were said. */
export async function proposeClasses(
  workspace: Workspace,
  task: string,
  namer: NamerOptions,
): Promise<readonly ProposedClass[]> {
  const { store } = workspace;
  const model = await savedModel(store, task);
  if (!model) return [];
  const known = await namesKnown(store);
  const typical = model.clusters.map(({ exemplars }) => exemplars.slice(0, ROW));
  const all = await itemPictures({ store, readBytes: originalBytes(workspace) }, typical.flat());
  const said = new Map<string, ProposedClass>();
  for (let first = 0; first < model.clusters.length; first += ROWS) {
    const pictures: Uint8Array[] = [];
    for (const ids of typical.slice(first, first + ROWS)) {
      const own = (await all.of(ids)).map(({ bytes }) => bytes);
      // A row is full, so that each is one cluster.
      const [one] = own;
      if (one) pictures.push(...own, ...Array.from({ length: ROW - own.length }, () => one));
    }
    if (pictures.length === 0) continue;
    for (const proposed of await askForClasses(await contactSheet(pictures, { columns: ROW }), known, namer)) {
      const key = foldClassName(proposed.name);
      if (!said.has(key)) said.set(key, proposed);
    }
  }
  return [...said.values()];
}

async function namesKnown(store: Pick<Store, 'classes'>): Promise<ReadonlyMap<string, string>> {
  return new Map((await store.classes()).map(({ name }) => [foldClassName(name), name]));
}
