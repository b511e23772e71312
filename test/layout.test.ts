/** The layout's rule: a folder of `src` imports only from itself and from folders above it in the list. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';

const ORDER = [
  'core',
  'math',
  'models',
  'images',
  'sources',
  'store',
  'pipeline',
  'labelling',
  'corpus',
  'formats',
  'report',
  'server',
  'cli',
];

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g;

function folderOf(file: string): string {
  const [first, second] = relative('src', file).split(sep);
  return second === undefined ? '' : (first as string);
}

function wrongImports(file: string, text: string): string[] {
  const from = folderOf(file);
  const wrong: string[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const target = join(dirname(file), (match[1] ?? match[2]) as string);
    const to = folderOf(target);
    if (to === '' && relative('src', target) === 'errors.ts') continue;
    if (from === '') continue;
    if (ORDER.indexOf(to) < 0 || ORDER.indexOf(to) > ORDER.indexOf(from)) wrong.push(`${file} imports ${target}`);
  }
  return wrong;
}

test('every folder of src is in the list', () => {
  const folders = new Set(globSync('src/*/**/*.ts').map(folderOf));
  assert.deepEqual(
    [...folders].filter((folder) => !ORDER.includes(folder)),
    [],
  );
});

test('a folder imports only from folders above it', () => {
  const files = globSync('src/**/*.ts').filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 20, 'the sources are found');
  assert.deepEqual(
    files.flatMap((file) => wrongImports(file, readFileSync(file, 'utf8'))),
    [],
  );
});

test('the rule is seen when it is broken', () => {
  assert.equal(wrongImports('src/core/x.ts', "import { a } from '../store/y.ts';").length, 1);
  assert.equal(wrongImports('src/core/x.ts', "export * from '../cli/y.ts';").length, 1);
  assert.equal(wrongImports('src/store/x.ts', "import {\n a,\n} from '../core/y.ts';").length, 0);
});
