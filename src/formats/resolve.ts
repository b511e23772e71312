/**
 * From the names in a label file to the images of a workspace: by path, by ending, and where the named file itself can
 * be read, by its bytes.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ImportedImage, ImportedLabel } from '../core/dataset.ts';
import type { ImageRecord } from '../core/image.ts';
import type { Store } from '../store/store.ts';
import type { FormatName, ReadOptions } from './format.ts';
import { FileMatcher, type Match } from './match.ts';
import { readFormat } from './table.ts';

export interface ResolvedLabels {
  /** Tasks in which some image has several classes, so that a rule of one class an image would lose some; null: unnamed. */
  readonly tasksOfMany: ReadonlySet<string | null>;
  /** Goes through the file again, in its order. */
  read(): AsyncIterable<ImportedImage>;
  /** The image an entry stands for; null where none matches. */
  find(entry: ImportedImage): Promise<{ readonly image: ImageRecord | null; readonly match: Match }>;
}

/**
 * Reads the whole file once, so that a fault in it is known before anything is written, and gives a second reading with
 * images. Resident: the stored paths (see `FileMatcher`).
 */
export async function resolveLabels(
  store: Store,
  format: FormatName,
  path: string,
  options: ReadOptions = {},
): Promise<ResolvedLabels> {
  const base = (await stat(path).catch(() => null))?.isDirectory() ? resolve(path) : dirname(resolve(path));
  const stored: { imageId: string; path: string }[] = [];
  const roots = await store.sourceRoots();
  for (const root of roots) {
    for await (const page of store.pathsOf(root))
      for (const { imageId, path: at } of page) stored.push({ imageId, path: at });
  }
  const matcher = new FileMatcher(stored, [base, ...roots]);
  const tasksOfMany = new Set<string | null>();
  for await (const entry of readFormat(format, path, options)) {
    matcher.expect(entry.file);
    addTasksOfMany(entry.labels, tasksOfMany);
  }

  return {
    tasksOfMany,
    read: () => readFormat(format, path, options),
    async find(entry) {
      const match = await matchEntry(matcher, entry, base);
      return { match, image: match.kind === 'matched' ? ((await store.image(match.imageId)) ?? null) : null };
    },
  };
}

function addTasksOfMany(labels: readonly ImportedLabel[], many: Set<string | null>): void {
  if (labels.length < 2) return;
  const first = new Map<string | null, string>();
  for (const { task, className } of labels) {
    const known = first.get(task);
    if (known === undefined) first.set(task, className);
    else if (known !== className) many.add(task);
  }
}

async function matchEntry(matcher: FileMatcher, entry: ImportedImage, base: string): Promise<Match> {
  const match = matcher.match(entry.file, entry.sha256);
  if (match.kind === 'matched') return match;
  const sha256 = await sha256OfNamedFile(isAbsolute(entry.file) ? entry.file : join(base, entry.file));
  return sha256 === null ? match : byBytes(matcher, entry.file, sha256, match);
}

function byBytes(matcher: FileMatcher, file: string, sha256: string, otherwise: Match): Match {
  const match = matcher.matchBytes(file, sha256);
  return match.kind === 'matched' ? match : otherwise;
}

/** Null when there is no such file: many formats name files that are not beside them. */
async function sha256OfNamedFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
