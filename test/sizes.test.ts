/**
 * What keeps the code readable, measured: files of at most 400 lines, functions of at most 80 from their first line to
 * their last, no `any`. An exception is listed with its reason, and one that is no longer needed has to go.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { test } from 'node:test';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 80;
/** Most lines of a component are what it shows: an element and an attribute a line. */
const MAX_COMPONENT_LINES = 120;

/** Longer files, with the reason why each is one. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** Files with functions that are longer, with the reason. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'src/formats/json-stream.ts': 'one state machine over bytes: a case a state, all over one position',
};

const sources = globSync('{src,bench,examples,web}/**/*.{ts,tsx}').map(posix).sort();

function posix(path: string): string {
  return path.split(sep).join('/');
}

interface Diagnostic {
  readonly location: {
    readonly path: string;
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  };
}

/** Functions as Biome finds them, closures and methods included. */
function longFunctions(...roots: readonly string[]): { file: string; line: number; lines: number }[] {
  const { stdout, error } = spawnSync(
    'biome',
    [
      'lint',
      '--only=complexity/noExcessiveLinesPerFunction',
      '--max-diagnostics=none',
      '--reporter=json',
      '--vcs-enabled=false',
      ...roots,
    ],
    { encoding: 'utf8', maxBuffer: 1 << 26, shell: process.platform === 'win32' },
  );
  if (error) throw error;
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  return diagnostics
    .map(({ location: { path, start, end } }) => ({
      file: posix(path),
      line: start.line,
      lines: end.line - start.line + 1,
    }))
    .filter(({ file, lines }) => lines > (file.endsWith('.tsx') ? MAX_COMPONENT_LINES : MAX_FUNCTION_LINES));
}

/** Exceptions that are none any more. */
function needless(exceptions: Readonly<Record<string, string>>, long: ReadonlySet<string>): string[] {
  return Object.entries(exceptions)
    .filter(([file]) => !long.has(file))
    .map(([file]) => file);
}

test('no file is longer than 400 lines without a reason', () => {
  assert.ok(sources.length > 200, 'the sources are found');
  const long = sources
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_FILE_LINES);
  assert.deepEqual(
    long.filter(({ file }) => !LONG_FILES[file]).map(({ file, lines }) => `${file}: ${lines} lines`),
    [],
  );
  assert.deepEqual(needless(LONG_FILES, new Set(long.map(({ file }) => file))), []);
});

test('no function is longer than 80 lines without a reason', () => {
  // Suites of tests are functions too, as long as what they list.
  const long = longFunctions('src', 'bench', 'web').filter(({ file }) => !file.endsWith('.test.ts'));
  assert.deepEqual(
    long.filter(({ file }) => !LONG_FUNCTIONS[file]).map(({ file, line, lines }) => `${file}:${line}: ${lines} lines`),
    [],
  );
  assert.deepEqual(needless(LONG_FUNCTIONS, new Set(long.map(({ file }) => file))), []);
});

test('a long function would be found', () => {
  // The suites of the contracts are functions of many cases.
  assert.ok(longFunctions('test/contracts').length > 0);
});

test('what the compiler and the linter say of types is silenced nowhere', () => {
  // That nothing is of type `any` is a rule of the linter.
  const silenced = /@ts-(?:ignore|nocheck)|biome-ignore[^:]*(?:noExplicitAny|lint:)/;
  assert.deepEqual(
    globSync('{src,test,bench,examples,web}/**/*.{ts,tsx}').flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, i) =>
          silenced.test(line) && !line.includes('silenced =') ? [`${posix(file)}:${i + 1}: ${line.trim()}`] : [],
        ),
    ),
    [],
  );
});
