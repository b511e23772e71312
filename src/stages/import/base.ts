/**
 * Which export of the workspace a file that came back is a copy of: the one that the marker beside it names, else the one that
 * it differs from least. Only what that export showed can have been changed or removed by whoever changed the copy; where it may be
 * a copy of several, only what all of them showed can have been removed.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImageId, ItemId } from '../../core/ids.ts';
import { namesNow } from '../../corpus/class-names.ts';
import { markerIn } from '../../files/own.ts';
import type { Keeps, ReaderName } from '../../formats/format.ts';
import { indexIn } from '../../formats/shard-index.ts';
import { readerNamed } from '../../formats/table.ts';
import type { ExportRecord, Store } from '../../store/store.ts';
import { type ShownImage, shownOf } from '../export/shown.ts';
import { exportTo } from '../export/write.ts';
import { isMoved, paired, sameNames } from './pairing.ts';
import type { ImportPlan, PlannedEntry } from './plan.ts';

/** What the file is compared with. */
export type Base =
  | {
      readonly kind: 'export';
      readonly export: ExportRecord;
      /** Others that it may be a copy of as well: what one of them did not show is not known to have been in the file. */
      readonly orOf: readonly ExportRecord[];
    }
  /** What the workspace holds: the file is said to be the whole state of its pictures. */
  | { readonly kind: 'state' }
  /** The same, but of what the file lacks nobody knows whether it was in it: one of our exports, and it is not known which. */
  | { readonly kind: 'unknown' };

export interface BaseOptions {
  readonly format: ReaderName;
  readonly path: string;
  /** One of our exports wrote the file. */
  readonly isOwn: boolean;
  /** Somebody said that the file is the state of its pictures. */
  readonly isAsked: boolean;
}

/** Exports that a file is compared with. */
const MAX_CANDIDATES = 20;
/** Entries whose images are looked up at a time. */
const PAGE = 256;

export async function baseOf(
  store: Store,
  plan: ImportPlan,
  { format, path, isOwn, isAsked }: BaseOptions,
): Promise<Base> {
  const exports = await store.finishedExports(format);
  const digest = await markedDigest(path, format);
  if (digest !== null) {
    const named = exports.find((one) => one.digest === digest);
    if (named !== undefined) return { kind: 'export', export: named, orOf: [] };
  }
  const { keeps } = readerNamed(format);
  const [nearest, ...orOf] = digest === null ? await likelyOf(store, plan, exports, { keeps, isOwn }) : [];
  if (nearest !== undefined) return { kind: 'export', export: nearest, orOf };
  return { kind: isAsked || !isOwn ? 'state' : 'unknown' };
}

/** The digest in the marker of the export's folder, which the file is or lies in. */
async function markedDigest(path: string, format: ReaderName): Promise<string | null> {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path);
  const marker = await markerIn(folder);
  if (marker?.what === exportTo(format)) return marker.digest ?? null;
  // One that came from a cloud, where nothing is hidden.
  const index = await indexIn(folder);
  return index?.format === format ? (index.digest ?? null) : null;
}

/** Whether the folder is an export to this format. */
export async function isExportFolder(path: string, format: ReaderName): Promise<boolean> {
  if (!(await stat(path)).isDirectory()) return false;
  return (await markerIn(path))?.what === exportTo(format) || (await indexIn(path))?.format === format;
}

/** What an export showed of these images, under the names that classes have now. */
export async function shownImages(
  store: Pick<Store, 'exportStates' | 'classes'>,
  exportId: number,
  ids: readonly ImageId[],
): Promise<Map<ImageId, ShownImage>> {
  const states = await store.exportStates(exportId, ids);
  const nameNow = await namesNow(store);
  return new Map(
    [...states].map(([id, text]) => {
      const { labels, regions } = shownOf(text);
      return [
        id,
        {
          labels: labels.map((label) => ({ ...label, className: nameNow(label.className) })),
          regions: regions.map((region) => ({ ...region, classes: [...new Set(region.classes.map(nameNow))].sort() })),
        },
      ];
    }),
  );
}

interface Candidate {
  readonly export: ExportRecord;
  common: number;
  differences: number;
  things: number;
  /** The file has something that a machine found, as an export showed it, and this one did not show that. */
  isOlder: boolean;
}

/**
 * Exports that the file may be a copy of, the one first that it differs from least (the newest on a tie): those by which at least
 * half of the file is as it was or, in a file of ours, at its place, and that showed all that it has of a machine's.
 */
async function likelyOf(
  store: Store,
  plan: ImportPlan,
  exports: readonly ExportRecord[],
  { keeps, isOwn }: { readonly keeps: Keeps; readonly isOwn: boolean },
): Promise<ExportRecord[]> {
  const distinct = exports.filter(({ digest }, i) => exports.findIndex((other) => other.digest === digest) === i);
  const candidates = distinct
    .slice(0, MAX_CANDIDATES)
    .map((one): Candidate => ({ export: one, common: 0, differences: 0, things: 0, isOlder: false }));
  if (candidates.length === 0) return [];
  let page: PlannedEntry[] = [];
  for await (const entry of plan.entries()) {
    page.push(entry);
    if (page.length < PAGE) continue;
    await compare(store, candidates, page, { keeps, isOwn });
    page = [];
  }
  await compare(store, candidates, page, { keeps, isOwn });
  return candidates
    .filter(({ common, things, isOlder }) => common * 2 >= things && common > 0 && !isOlder)
    .sort((a, b) => a.differences - b.differences || b.export.id - a.export.id)
    .map((candidate) => candidate.export);
}

async function compare(
  store: Store,
  candidates: readonly Candidate[],
  page: readonly PlannedEntry[],
  { keeps, isOwn }: { readonly keeps: Keeps; readonly isOwn: boolean },
): Promise<void> {
  const ids = page.map(({ image }) => image.id);
  const machine = await ofMachines(store, ids);
  /** What a machine said and the file has as some export showed it. */
  const seen = new Set<string>();
  const showing: Set<string>[] = [];
  for (const candidate of candidates) {
    const shown = await shownImages(store, candidate.export.id, ids);
    showing.push(new Set([...shown].flatMap(([id, image]) => keysOf(id, image))));
    for (const entry of page) {
      const { same, alike, things, differences } = comparison(entry, shown.get(entry.image.id) ?? NOTHING, keeps);
      candidate.common += same.length + (isOwn ? alike : 0);
      candidate.differences += differences;
      candidate.things += things;
      for (const key of same) if (machine.has(key)) seen.add(key);
    }
  }
  for (const [i, candidate] of candidates.entries())
    if ([...seen].some((key) => !showing[i].has(key))) candidate.isOlder = true;
}

const labelKey = (id: ItemId, className: string) => `${id} ${className}`;

function keysOf(id: ImageId, { labels, regions }: ShownImage): string[] {
  return [...regions.map((region) => region.id), ...labels.map(({ className }) => labelKey(id, className))];
}

/** Regions and classes of these images that no person said anything of: they came with no file of a person. */
async function ofMachines(store: Pick<Store, 'regionsOf' | 'labelsOf'>, ids: readonly ImageId[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const regions of (await store.regionsOf(ids)).values())
    for (const { id, touched } of regions) if (!touched) keys.add(id);
  for (const [id, labels] of await store.labelsOf(ids)) {
    const human = new Set(labels.filter(({ origin }) => origin === 'human').map(({ className }) => className));
    for (const { className } of labels) if (!human.has(className)) keys.add(labelKey(id, className));
  }
  return keys;
}

export const NOTHING: ShownImage = { labels: [], regions: [] };

/** What is as it was shown, how much at its place, and how much was moved, named otherwise, added or removed. */
function comparison(entry: PlannedEntry, shown: ShownImage, keeps: Keeps) {
  const classes = new Set(shown.labels.map(({ className }) => className));
  const said = new Set(entry.labels.map(({ className }) => className));
  const both = [...said].filter((name) => classes.has(name));
  const same = both.map((name) => labelKey(entry.image.id, name));
  let differences = said.size + classes.size - 2 * both.length;
  // What has no class was shown by none.
  const named = { ...entry, regions: entry.regions.filter(({ labels }) => labels.length > 0) };
  const pairs = keeps.boxes === 'none' ? [] : paired(named, shown.regions, keeps);
  const ids = new Set(shown.regions.map(({ id }) => id));
  let alike = 0;
  for (const { given, before } of pairs) {
    if (before === null) {
      differences += given.writtenAs !== undefined && !ids.has(given.writtenAs) ? FOREIGN_REGION : 1;
      continue;
    }
    const names = given.labels.map(({ className }) => className);
    if (sameNames(names, before.classes) && !isMoved(given.box, before.box, { keeps, entry })) same.push(before.id);
    else {
      alike++;
      differences++;
    }
  }
  const there = pairs.filter(({ before }) => before !== null).length;
  return { same, alike, things: said.size + pairs.length, differences: differences + ids.size - there };
}

/** How many differences a region is that another export wrote. */
const FOREIGN_REGION = 3;
