/** The name of an image in an export: its path relative to its source's root, made unique across roots. */
import { posix, sep } from 'node:path';

/**
 * What stands before names of each source root: nothing with one root, else its base name, with as many of the folders
 * above it as tell it from the others. So whoever knows the path finds it again by its end, `import` among them. Roots
 * that no folder above tells apart are numbered.
 */
export function rootNames(roots: readonly string[]): Map<string, string> {
  if (roots.length <= 1) return new Map(roots.map((root) => [root, '']));
  const all = [...roots].sort().map((root) => ({ root, parts: slashes(root).split('/').filter(Boolean), length: 1 }));
  const nameOf = ({ parts, length }: (typeof all)[number]) => parts.slice(-length).join('/') || 'root';
  for (;;) {
    const names = all.map((one) => `${nameOf(one)}/`);
    // A name that another one begins with would hold the other's files.
    const unclear = all.filter((one, i) => {
      const meets = (other: string, j: number) => i !== j && (other.startsWith(names[i]) || names[i].startsWith(other));
      return one.length < one.parts.length && names.some(meets);
    });
    if (unclear.length === 0) break;
    const shortest = Math.min(...unclear.map(({ length }) => length));
    for (const one of unclear) if (one.length === shortest) one.length++;
  }
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const one of all) {
    const base = nameOf(one);
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
    taken.add(name);
    names.set(one.root, name);
  }
  return names;
}

/**
 * A path below its root without the root; a member of an archive without the archive. What is not below its root came by
 * a list: relative to the list's folder where it lies below that, else the whole path without the leading slash.
 */
export function exportName(path: string, root: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(root) ?? '';
  // A file that was added by itself is its own root, and is not in a folder of its own name.
  if (name !== '' && slashes(path) === slashes(root)) return name;
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
