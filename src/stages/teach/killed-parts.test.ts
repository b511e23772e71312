/** Learning from a pile in parts whose process was killed, against one that was not: the same bytes, and sums that are done stay done. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beginProgram, keptParts } from '../../../test/fleet/killed-program.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/fleet/taught-pile.program.ts', import.meta.url));
/** One of vectors that are read, and sums of each of 15 files. */
const PARTS = 16;
const FILES = 15;

const begin = (location: string) => beginProgram(PROGRAM, location);

/** Files of vectors and of probabilities. */
function written(location: string): number {
  return globSync('vectors/*/*.arrow', { cwd: location }).length;
}

test('killed while it sums up and while it predicts, it ends with the same bytes, and sums nothing up twice', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-killed-teach-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const whole = join(dir, 'whole');
  const expected = await begin(whole).ended;
  assert.equal(expected.code, 0);
  assert.match(expected.said, /^[0-9a-f]{64}$/);
  assert.equal(keptParts(whole).size, PARTS);
  assert.equal(written(whole), 2 * FILES);

  const place = join(dir, 'killed');
  const killedWhen = async (isTime: () => boolean) => {
    const { child, ended } = begin(place);
    while (child.exitCode === null && !isTime()) await sleep(1);
    child.kill('SIGKILL');
    assert.equal((await ended).code, null, 'it had more to do');
  };
  await killedWhen(() => keptParts(place).size >= 3);
  const before = keptParts(place);
  assert.ok(before.size < PARTS, `${before.size} parts`);
  await killedWhen(() => written(place) > FILES + 2);
  assert.ok(written(place) < 2 * FILES);
  assert.deepEqual(await begin(place).ended, expected);
  const after = keptParts(place);
  assert.equal(after.size, PARTS);
  for (const [file, writtenAt] of before) assert.equal(after.get(file), writtenAt, `${file} was not done again`);
});
