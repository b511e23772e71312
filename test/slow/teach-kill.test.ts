import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { patternGround } from '../patterns.ts';

const COMMAND = ['teach', 'rounds', '--threshold', '0.4'];
const MOMENTS = 20;

test(`SIGKILL at ${MOMENTS} moments of teach rounds, then a plain re-run`, async (t) => {
  const dir = await patternGround(t);
  const at = { cwd: dir };
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], at);
  await runJson(['embed'], at);
  const startedAt = performance.now();
  const whole = await runJson<{ modelSha256: string }>(COMMAND, at);
  const lengthMs = performance.now() - startedAt;
  for (let moment = 0; moment < MOMENTS; moment++) {
    await rm(join(dir, '.labelsmith/models'), { recursive: true });
    await runCli(COMMAND, { ...at, killAfterMs: (lengthMs * (moment + 0.7)) / (MOMENTS + 0.4) });
    const again = await runJson<{ modelSha256: string }>(COMMAND, at);
    assert.equal(again.modelSha256, whole.modelSha256, `moment ${moment + 1} of ${MOMENTS}`);
  }
});
