/**
 * Bundles the dependencies that come in hundreds of small modules into one file each, `dist/vendor/*.js`, and lets the
 * compiled code import those. Loading kysely's 255 modules took 70 ms of every command, its one file takes 3; zod's 95 took
 * 30. They stay dependencies, since their types are in our declarations. Their licences go with them.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

/** What compiled code imports from one file. `@hono/zod-openapi` is here since it must share zod's classes with us. */
const ENTRIES = ['kysely', 'zod', '@hono/zod-openapi'] as const;
/** What those are made of and goes into their files; the rest they import as it is installed. */
const INSIDE = [...ENTRIES, '@hono/zod-validator', '@asteasolutions/zod-to-openapi', 'openapi3-ts'];

const fileOf = (name: string) => `${name.replace('/', '-')}.js`;

/** @param dist the compiled code, changed in place */
export async function bundleVendors(dist: string): Promise<void> {
  const vendor = join(dist, 'vendor');
  const bundle = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [fileOf(name).slice(0, -3), `all-of:${name}`])),
    platform: 'node',
    plugins: [everythingOf],
    external: (id) => /^[\w@]/.test(id) && !id.startsWith('all-of:') && !isInside(id),
  });
  const { output } = await bundle.write({ dir: vendor, format: 'esm', minify: true });
  await bundle.close();
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  mkdirSync(vendor, { recursive: true });
  writeFileSync(join(vendor, 'LICENSES.md'), licencesOf(modules));
  for (const file of globSync('**/*.js', { cwd: dist, exclude: ['vendor/**', 'web/**'] }))
    redirect(join(dist, file), vendor);
}

function isInside(id: string): boolean {
  return INSIDE.some((name) => id === name || id.startsWith(`${name}/`));
}

const everythingOf: Plugin = {
  name: 'all-of',
  resolveId: (id) => (id.startsWith('all-of:') ? id : null),
  load: (id) => (id.startsWith('all-of:') ? `export * from '${id.slice('all-of:'.length)}';` : null),
};

/** Imports of an entry in a compiled file become imports of its bundle. */
function redirect(file: string, vendor: string): void {
  const text = readFileSync(file, 'utf8');
  const redirected = text.replace(
    /(\bfrom |\bimport\()(['"])([\w@][^'"]*)\2/g,
    (whole, before: string, _, name: string) => {
      if (!ENTRIES.some((entry) => entry === name)) return whole;
      const to = relative(dirname(file), join(vendor, fileOf(name))).replaceAll('\\', '/');
      return `${before}'${to.startsWith('.') ? to : `./${to}`}'`;
    },
  );
  if (redirected !== text) writeFileSync(file, redirected);
}

/** Name, version and licence of each package that some module came from; fails where one states none. */
function licencesOf(modules: readonly string[]): string {
  const folders = new Set(
    modules.flatMap((id) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll('\\', '/'))?.[1] ?? []),
  );
  const sections = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    const file = globSync('{LICENSE,LICENCE,license}*', { cwd: folder })
      .map((found) => join(folder, found))
      .find(existsSync);
    if (file === undefined && license === undefined) throw new Error(`${basename(folder)} states no licence`);
    const text = file === undefined ? `Licence: ${license}` : readFileSync(file, 'utf8').trim();
    return `## ${name} ${version}\n\n${text}\n`;
  });
  return `# Licences of what is bundled here\n\n${sections.join('\n')}`;
}
