import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJson } from '../cli.ts';
import { killedFineTuning } from '../fine-tune-kill.ts';
import { EACH, KINDS, patternGround } from '../patterns.ts';
import { importSmallEmbedder, SMALL_EMBEDDER } from '../small-embedder.ts';

test('SIGKILL at 20 moments of teach rounds --fine-tune, then a plain re-run', async (t) => {
  const dir = await patternGround(t);
  // What a run does is the same with any network; with a small one 40 runs take minutes.
  const env = { LABELSMITH_CACHE: join(dir, 'cache') };
  await importSmallEmbedder(dir, env);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir, env });
  // With this seed each of the rounds is kept, so that there are three of four trainings each.
  const kills = { amid: [0, 1, 2, 3, 4, 6, 8, 11], spread: 12, seed: 9 };
  const { steps } = await killedFineTuning(t, dir, { ...kills, env, model: SMALL_EMBEDDER });
  assert.deepEqual([...new Set(steps.flatMap(({ round }) => round ?? []))], [1, 2, 3]);
});

test("the package's embedder is fine-tuned; killed, it goes on to the same bytes; what comes out predicts", async (t) => {
  const dir = await patternGround(t);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
  const { model } = await killedFineTuning(t, dir, { amid: [1], spread: 0 });
  const found = await runJson<{ predictions: object[] }>(['teach', 'predict', 'images', '--model', model], {
    cwd: dir,
  });
  assert.equal(found.predictions.length, EACH * KINDS.length);
});
