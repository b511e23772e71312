/** The name of an image in an export: its path relative to its source's root, made unique across roots. */
import { posix, sep } from 'node:path';

/** What stands before names of each source root: nothing with one root, else its base name, told apart by a number. */
export function rootNames(roots: readonly string[]): Map<string, string> {
  if (roots.length <= 1) return new Map(roots.map((root) => [root, '']));
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const root of [...roots].sort()) {
    const base = posix.basename(slashes(root)) || 'root';
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
    taken.add(name);
    names.set(root, name);
  }
  return names;
}

/**
 * A path below its root without the root; a member of an archive without the archive. What is not below its root came by
 * a list: relative to the list's folder where it lies below that, else the whole path without the leading slash.
 */
export function exportName(path: string, root: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(root) ?? '';
  const below = relative(slashes(path), slashes(root));
  return name === '' ? below : `${name}/${below}`;
}

function relative(path: string, root: string): string {
  const starts = [`${root.replace(/\/+$/, '')}/`, `${root}!/`, `${posix.dirname(root).replace(/\/+$/, '')}/`];
  const start = starts.find((prefix) => path.startsWith(prefix));
  return start === undefined ? path.replace(/^(?:[A-Za-z]:)?\/+/, '') : path.slice(start.length);
}

function slashes(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
