import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJson } from '../cli.ts';
import { killedFineTuning } from '../fine-tune-kill.ts';
import { patternGround } from '../patterns.ts';
import { importSmallEmbedder, SMALL_EMBEDDER } from '../small-embedder.ts';

test('SIGKILL at 20 moments of teach rounds --fine-tune, then a plain re-run', async (t) => {
  const dir = await patternGround(t);
  // What a run does is the same with any network; with a small one 40 runs take minutes.
  const env = { LABELSMITH_CACHE: join(dir, 'cache') };
  await importSmallEmbedder(dir, env);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir, env });
  const kills = { amid: [0, 0, 1, 1, 2, 2, 3, 3], spread: 12 };
  const { steps } = await killedFineTuning(t, dir, { ...kills, env, model: SMALL_EMBEDDER });
  assert.ok(steps.length > 3);
});
