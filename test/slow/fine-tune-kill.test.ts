import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJson } from '../cli.ts';
import { killedFineTuning } from '../fine-tune-kill.ts';
import { patternGround } from '../patterns.ts';

test('SIGKILL at 20 moments of teach rounds --fine-tune, then a plain re-run', async (t) => {
  const dir = await patternGround(t);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
  const { steps } = await killedFineTuning(t, dir, { amid: [0, 0, 1, 1, 2, 2, 3, 3], spread: 12 });
  assert.ok(steps.length > 3);
});
