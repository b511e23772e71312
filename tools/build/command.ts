/**
 * The command's modules once more, in few files: `dist/cli/bundle`. A command loads some two hundred modules of ours, and to find,
 * read and link each of them takes longer than what many a command then does. Workers, processes of their own, the
 * library and a device's program stay with the modules as they were compiled.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { type ESTree, Visitor } from 'rolldown/utils';

const FOLDER = 'cli/bundle';
const START = "import('./process.js')";

/** @param dist the compiled code; its `cli/main.js` is changed to load what is bundled */
export async function bundleCommand(dist: string): Promise<void> {
  const main = join(dist, 'cli/main.js');
  const text = readFileSync(main, 'utf8');
  if (!text.includes(START)) throw new Error(`${main} does not load its process by ${START}`);
  const bundle = await rolldown({
    input: { process: join(dist, 'cli/process.js') },
    platform: 'node',
    plugins: [ownPlace(resolve(dist, FOLDER))],
    // What the bundler itself may add, as for `</script>` in a template, is no package of ours.
    external: (id) => /^[\w@]/.test(id) && !id.startsWith('@oxc-project/runtime'),
  });
  await bundle.write({
    dir: join(dist, FOLDER),
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    minify: { mangle: false, compress: false },
  });
  await bundle.close();
  writeFileSync(main, text.replace(START, "import('./bundle/process.js')"));
}

/** What a module asks of `import.meta` is answered with the file that it was, beside which its workers and data are. */
function ownPlace(folder: string): Plugin {
  return {
    name: 'own-place',
    // Workers load these files too; there is one of each.
    resolveId(id) {
      if (!id.includes('/vendor/')) return null;
      return { id: `../../vendor/${basename(id)}`, external: true };
    },
    transform(code, id) {
      if (!code.includes('import.meta')) return null;
      const from = relative(folder, id).replaceAll('\\', '/');
      const url = `new URL(${JSON.stringify(from)}, import.meta.url)`;
      const file = `process.getBuiltinModule('node:url').fileURLToPath(${url})`;
      const answers = new Map([
        ['url', `${url}.href`],
        ['filename', file],
        ['dirname', `process.getBuiltinModule('node:path').dirname(${file})`],
      ]);
      let changed = code;
      // The last first, so that the places of the others stay.
      for (const { name, start, end } of questions(this.parse(code)).reverse()) {
        const answer = answers.get(name);
        if (answer) changed = `${changed.slice(0, start)}${answer}${changed.slice(end)}`;
      }
      return changed;
    },
  };
}

interface Question {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Every `import.meta.NAME` in the order of the text; what only looks like one, in a string, is none. */
function questions(program: ESTree.Program): Question[] {
  const found: Question[] = [];
  const visitor = new Visitor({
    MemberExpression({ object, property, start, end }) {
      if (object.type !== 'MetaProperty' || property.type !== 'Identifier') return;
      found.push({ name: property.name, start, end });
    },
  });
  visitor.visit(program);
  return found;
}
