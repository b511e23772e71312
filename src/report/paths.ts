/**
 * Paths as a report may show them. A report is mailed and published, so by default it has no absolute path, and so no
 * name of a user or a customer's folder: what is below a source is named from that source's own folder, what is
 * elsewhere by its last part.
 */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homedirIfAny } from '../files/home.ts';

export const PATHS = ['names', 'absolute'] as const;
export type Paths = (typeof PATHS)[number];

export interface PathNames {
  /** One path. */
  path(path: string): string;
  /** Text with paths in it. */
  text(text: string): string;
  /** Any value of a run's settings. */
  value(value: unknown): unknown;
}

export const ABSOLUTE: PathNames = { path: (path) => path, text: (text) => text, value: (value) => value };

/** @param sources the folders, archives and lists that images came from */
export function pathNames(sources: readonly string[], home: string = homedirIfAny() ?? ''): PathNames {
  const names = sourceNames(sources);
  if (home.length > 1) names.push([home, '~']);
  // The longest first: a source may lie in another, or at home.
  names.sort(([a], [b]) => b.length - a.length);
  const path = (given: string): string => {
    const full = given.startsWith('file:') ? pathOfUri(given) : withoutSecrets(given);
    const [root, name] = names.find(([root]) => full === root || isBelow(full, root)) ?? [];
    if (root !== undefined) return `${name}${full.slice(root.length)}`;
    return isAbsolute(full) || /^[A-Za-z]:[\\/]/.test(full) ? lastPart(full) : full;
  };
  const text = (given: string): string => {
    let shown = given;
    for (const [root, name] of names) shown = shown.replaceAll(root, name);
    return shown.replace(OTHER_FOLDERS, '…/');
  };
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return isAbsolute(given) ? path(given) : text(given);
    if (Array.isArray(given)) return given.map(value);
    if (given === null || typeof given !== 'object') return given;
    return Object.fromEntries(Object.entries(given).map(([key, one]) => [key, value(one)]));
  };
  return { path, text, value };
}

/** Folders of an absolute path within a text, up to its last part. */
const OTHER_FOLDERS = /(?<![\w.~…:/\\-])(?:[A-Za-z]:[\\/]|\/)(?:[^\s"'<>|:*?\\/]+[\\/])+/g;

/** `photos`, and `photos (2)` for another folder of that name. */
function sourceNames(sources: readonly string[]): [root: string, name: string][] {
  const taken = new Map<string, number>();
  return [...sources].sort().map((source) => {
    const root = source.startsWith('file:') ? pathOfUri(source) : source;
    const name = lastPart(root);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return [root, count === 1 ? name : `${name} (${count})`];
  });
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root) && /^(?:!?[\\/])/.test(path.slice(root.length));
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

function pathOfUri(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch {
    return lastPart(uri);
  }
}

/** An address without its user, password and query, which may be a signature. */
function withoutSecrets(address: string): string {
  return /^[a-z][\w+.-]*:\/\//i.test(address)
    ? address.replace(/(?<=:\/\/)[^/?#]*@/, '').replace(/[?#].*$/s, '')
    : address;
}
