/**
 * The house as it is meant: the folders of `src` in their order, each with what it owns; and as it is: what the files
 * import. A folder may import from itself and from folders above it in the list (`test/layout.test.ts`).
 */
import { globSync, readFileSync } from 'node:fs';
import { posix, sep } from 'node:path';

export interface Room {
  /** The folder's name below `src`. */
  readonly name: string;
  /** What it owns, in a few words. */
  readonly owns: string;
}

export const ROOMS: readonly Room[] = [
  { name: 'core', owns: 'plain data: images, boxes, labels, ids' },
  { name: 'files', owns: 'output that is whole or not there' },
  { name: 'fetch', owns: 'pinned files, from registry to cache' },
  { name: 'threads', owns: 'worker threads, bounded processes' },
  { name: 'onnx', owns: 'graphs, sessions, inference threads' },
  { name: 'math', owns: 'clusters, neighbours, heads, metrics' },
  { name: 'models', owns: 'catalogue, converters, detectors' },
  { name: 'images', owns: 'bytes to pixels, near-duplicates' },
  { name: 'sources', owns: 'folders, lists, archives as streams' },
  { name: 'formats', owns: 'readers and writers of label files' },
  { name: 'store', owns: 'the record, in SQL' },
  { name: 'vectors', owns: 'embeddings as Arrow files' },
  { name: 'blobs', owns: 'files by key' },
  { name: 'corpus', owns: 'the classes, with history and undo' },
  { name: 'jobs', owns: 'stages as data, engines, workspaces' },
  { name: 'stages', owns: 'what the commands do' },
  { name: 'review', owns: 'questions, answers, sheets' },
  { name: 'report', owns: 'the HTML report' },
  { name: 'flow', owns: 'camera to labels, from one file' },
  { name: 'server', owns: 'the HTTP API' },
  { name: 'cli', owns: 'parsing and printing' },
];

const SPECIFIER = String.raw`['"](\.[^'"\n]+)['"]`;
const IMPORT = new RegExp(
  [
    String.raw`(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*${SPECIFIER}`,
    String.raw`\bimport\(\s*${SPECIFIER}\s*\)`,
    String.raw`new URL\(\s*${SPECIFIER}\s*,\s*import\.meta\.url`,
  ].join('|'),
  'g',
);

/** The folder of `src` that a file is in; empty for a file of `src` itself. Paths have `/`. */
export function roomOf(file: string): string {
  const [, first = '', second] = file.split('/');
  return second === undefined ? '' : first;
}

/** The files that `text`, which is that of `file`, imports: types, dynamic imports and worker URLs too. */
export function importsIn(file: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, ...paths]) => {
    const path = paths.find((found) => found !== undefined);
    return path === undefined ? [] : [posix.join(posix.dirname(file), path)];
  });
}

/** Every source but tests, with its text. Paths have `/`. */
export function sources(): Map<string, string> {
  const files = globSync('src/**/*.ts')
    .map((file) => file.split(sep).join('/'))
    .filter((file) => !file.endsWith('.test.ts'))
    .sort();
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

/** Which rooms a room imports from, in the order of the list; itself left out. Rooms with no file are not there. */
export function roomImports(texts: ReadonlyMap<string, string>): Map<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const [file, text] of texts) {
    const room = roomOf(file);
    if (room === '') continue;
    const targets = found.get(room) ?? new Set();
    found.set(room, targets);
    for (const target of importsIn(file, text)) if (roomOf(target) !== room) targets.add(roomOf(target));
  }
  return new Map(
    ROOMS.filter(({ name }) => found.has(name)).map(({ name }) => [
      name,
      ROOMS.map((room) => room.name).filter((other) => found.get(name)?.has(other)),
    ]),
  );
}
