/** The project's own lint rules fire, and only where they should. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'labelsmith-lint-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function problemsIn(code: string): string {
  const path = join(folder, 'tried.ts');
  writeFileSync(path, code);
  const options = { encoding: 'utf8', shell: process.platform === 'win32' } as const;
  const { stdout, stderr, error } = spawnSync(
    'biome',
    ['lint', '--config-path=.', '--vcs-enabled=false', path],
    options,
  );
  if (error) throw error;
  assert.match(stdout + stderr, /Checked 1 file/);
  return stdout + stderr;
}

test('an element cast to number is refused', () => {
  for (const cast of ['xs[0] as number', '(xs[0] as number) + 1', '(xs[0]) as number', 'xs.ys[i + 1] as number']) {
    assert.match(problemsIn(`export const a = ${cast};\n`), /An element is cast to number/, cast);
  }
  for (const fine of ['xs[0]', '[1] as number[]', 'xs[0] as number[]', 'x as number', 'xs.at(0) as number']) {
    assert.doesNotMatch(problemsIn(`export const a = ${fine};\n`), /An element is cast to number/, fine);
  }
});

test('a literal that is spread where its properties could stand is refused', () => {
  for (const spread of ['{ ...{ b: 1 } }', 'f({ a, ...{ b, c } })']) {
    assert.match(problemsIn(`export const a = ${spread};\n`), /A literal is spread/, spread);
  }
  for (const fine of ['{ ...b }', '{ ...(c && { b }) }', '{ ...(c ? { b } : {}) }', '{ b: { c } }']) {
    assert.doesNotMatch(problemsIn(`export const a = ${fine};\n`), /A literal is spread/, fine);
  }
});
