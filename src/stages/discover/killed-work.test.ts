/** Reductions whose process was killed, against one that was not: the same bytes, and parts that are done stay done. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beginProgram, keptParts } from '../../../test/fleet/killed-program.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/fleet/sample-work.program.ts', import.meta.url));
/** Three of the graph, ten of k-means. */
const PARTS = 13;

const begin = (location: string) => beginProgram(PROGRAM, location);

test('killed over and over, it ends with the same bytes, and does no part twice', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-killed-work-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const whole = join(dir, 'whole');
  const expected = await begin(whole).ended;
  assert.equal(expected.code, 0);
  assert.match(expected.said, /^[0-9a-f]{64}$/);
  const bytes = [...keptParts(whole).keys()].map((file) => [file.slice(whole.length), readFileSync(file, 'base64')]);
  assert.equal(bytes.length, PARTS);

  const place = join(dir, 'killed');
  for (const parts of [2, 6]) {
    const { child, ended } = begin(place);
    while (child.exitCode === null && keptParts(place).size < parts) await sleep(1);
    child.kill('SIGKILL');
    const { code } = await ended;
    assert.equal(code, null, `it had ${parts} parts to do and more`);
  }
  const before = keptParts(place);
  assert.ok(before.size >= 6 && before.size < PARTS, `${before.size} parts`);
  assert.deepEqual(await begin(place).ended, expected);
  const after = keptParts(place);
  for (const [file, writtenAt] of before) assert.equal(after.get(file), writtenAt, `${file} was not done again`);
  assert.deepEqual(
    [...after.keys()].map((file) => [file.slice(place.length), readFileSync(file, 'base64')]).sort(),
    bytes.sort(),
  );
});
