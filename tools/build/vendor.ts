/**
 * Bundles the dependencies that come in hundreds of small modules into one file each, `dist/vendor/*.js`, with the names that
 * the compiled code imports of them, and lets it import those files. Loading kysely's 255 modules took 70 ms of every
 * command, its one file takes 3; zod's 95 took 30, protobufjs' 45 took 20. They stay dependencies, since their types are in
 * our declarations. Their licences go with them.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

/** What compiled code imports from one file. `@hono/zod-openapi` is here since it must share zod's classes with us. */
const ENTRIES = ['kysely', 'zod', '@hono/zod-openapi', 'protobufjs'] as const;
/** What those are made of and goes into their files; the rest they import as it is installed. */
const INSIDE = [
  ...ENTRIES,
  '@hono/zod-validator',
  '@asteasolutions/zod-to-openapi',
  'openapi3-ts',
  '@protobufjs',
  'long',
];

const fileOf = (name: string) => `${name.replace('/', '-')}.js`;

/** @param dist the compiled code, changed in place */
export async function bundleVendors(dist: string): Promise<void> {
  const vendor = join(dist, 'vendor');
  const files = globSync('**/*.js', { cwd: dist, exclude: ['web/**'] }).map((file) => join(dist, file));
  const names = importedNames(files);
  const bundle = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [fileOf(name).slice(0, -3), `${PREFIX}${name}`])),
    platform: 'node',
    plugins: [entryOf(names)],
    external: (id) => /^[\w@]/.test(id) && !id.startsWith(PREFIX) && !isInside(id),
  });
  const { output } = await bundle.write({ dir: vendor, format: 'esm', minify: true });
  await bundle.close();
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  writeFileSync(join(vendor, 'LICENSES.md'), licencesOf(modules));
  for (const file of files) redirect(file, vendor);
}

const PREFIX = 'imported-of:';

/** What the files import of each entry: `sql`, `default as protobuf`. */
function importedNames(files: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>(ENTRIES.map((entry) => [entry, new Set()]));
  for (const file of files) {
    for (const [statement, clause = '', name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const known = names.get(name);
      if (known === undefined) continue;
      const listed = /^\{([^}]*)\}$/.exec(clause)?.[1];
      if (listed === undefined && !/^\w+$/.test(clause))
        throw new Error(`${file}: cannot bundle what ${statement} needs`);
      for (const one of listed?.split(',') ?? ['default']) {
        const [imported = ''] = one.trim().split(' as ');
        if (imported !== '') known.add(imported);
      }
    }
  }
  return names;
}

/** `import CLAUSE from 'NAME'` at the start of a line, as the compiler writes it. */
const IMPORT = /^(?:import|export) ([^;'"]+?) from ['"]([^'"]+)['"]/gm;

const entryOf = (names: ReadonlyMap<string, ReadonlySet<string>>): Plugin => ({
  name: 'entries',
  resolveId: (id) => (id.startsWith(PREFIX) ? id : null),
  load(id) {
    const name = id.slice(PREFIX.length);
    return id.startsWith(PREFIX)
      ? `export { ${[...(names.get(name) ?? [])].sort().join(', ')} } from '${name}';`
      : null;
  },
});

function isInside(id: string): boolean {
  return INSIDE.some((name) => id === name || id.startsWith(`${name}/`));
}

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
