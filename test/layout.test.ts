/**
 * The layout's rules: a folder of `src` imports only from itself and from folders above it in the list, no files import
 * each other in a circle, and nothing is imported for a side effect but by the command line's entry. Worker URLs count
 * as imports.
 */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { importsIn, ROOMS, roomOf, sources } from '../tools/architecture/layout.ts';

const ORDER = ROOMS.map(({ name }) => name);

/** The command line's entry checks the version of Node and sets up warnings before anything else is loaded. */
const MAY_IMPORT_FOR_EFFECT = 'src/cli/main.ts';

const SIDE_EFFECT = /(?:^|\n)\s*import\s*['"](\.[^'"\n]+)['"]/g;

function wrongImports(file: string, text: string): string[] {
  const from = roomOf(file);
  const wrong: string[] = [];
  if (file !== MAY_IMPORT_FOR_EFFECT) {
    for (const [, path] of text.matchAll(SIDE_EFFECT)) wrong.push(`${file} imports ${path} for its side effects`);
  }
  if (from === '') return wrong;
  for (const target of importsIn(file, text)) {
    const to = roomOf(target);
    if (to === '' && target === 'src/errors.ts') continue;
    if (!target.startsWith('src/') && !target.endsWith('.ts')) continue;
    if (ORDER.indexOf(to) < 0 || ORDER.indexOf(to) > ORDER.indexOf(from)) wrong.push(`${file} imports ${target}`);
  }
  return wrong;
}

/** Strongly connected components of more than one file (Tarjan 1972), each sorted. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    let lowest = own;
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!imports.has(target)) continue;
      const seen = index.get(target);
      if (seen === undefined) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, seen);
    }
    low.set(file, lowest);
    if (lowest === own) {
      const members = stack.splice(stack.indexOf(file));
      if (members.length > 1) found.push(members.sort());
    }
    return lowest;
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return found;
}

const texts = sources();

test('every folder of src is in the list', () => {
  const folders = new Set(globSync('src/*/**/*.ts').map((file) => roomOf(file.replaceAll('\\', '/'))));
  assert.deepEqual(
    [...folders].filter((folder) => !ORDER.includes(folder)),
    [],
  );
});

test('a folder imports only from folders above it, workers included', () => {
  assert.ok(texts.size > 20, 'the sources are found');
  assert.deepEqual(
    [...texts].flatMap(([file, text]) => wrongImports(file, text)),
    [],
  );
});

/** Commands parse and print: what is computed or kept lies behind a stage, a review, a report or the jobs. */
const NOT_OF_COMMANDS = ['math', 'onnx', 'store', 'vectors', 'images', 'files'];

test('no command and nothing that prints reaches for what computes or keeps', () => {
  const printing = [...texts].filter(([file]) => /^src.cli.(commands|print)/.test(file));
  assert.ok(printing.length > 20, 'the commands are found');
  assert.deepEqual(
    printing.flatMap(([file, text]) =>
      importsIn(file, text)
        .filter((target) => NOT_OF_COMMANDS.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`),
    ),
    [],
  );
});

test('no files import each other in a circle, types included', () => {
  assert.deepEqual(circles(new Map([...texts].map(([file, text]) => [file, importsIn(file, text)]))), []);
});

test('the rules are seen when they are broken', () => {
  const at = (folder: string) => posix.join('src', folder, 'x.ts');
  assert.equal(wrongImports(at('core'), "import { a } from '../store/y.ts';").length, 1);
  assert.equal(wrongImports(at('core'), "export * from '../cli/y.ts';").length, 1);
  assert.equal(wrongImports(at('core'), "new Worker(new URL('../math/y.worker.ts', import.meta.url))").length, 1);
  assert.equal(wrongImports(at('core'), "await import('../math/y.ts')").length, 1);
  assert.equal(wrongImports(at('store'), "import './y.ts';").length, 1);
  assert.equal(wrongImports(at('store'), "import {\n a,\n} from '../core/y.ts';").length, 0);
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a', 'd']],
    ['d', []],
  ]);
  assert.deepEqual(circles(imports), [['a', 'b', 'c']]);
});
