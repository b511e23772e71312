/** Tests that do a part of their work in every run, with all of it. */
process.env.LABELSMITH_TEST_THOROUGH = '1';

for (const file of [
  'src/corpus/corpus.test.ts',
  'src/stages/add/alike-stages.test.ts',
  'src/stages/detect/doubt-stage.test.ts',
  'src/stages/discover/people-acts.test.ts',
  'src/stages/discover/sample-stage.test.ts',
  'src/stages/teach/many-items.test.ts',
  'src/stages/discover/sample-work.test.ts',
  'src/stages/worker/worker.test.ts',
  'test/e2e/bad-input.test.ts',
  'test/e2e/import-kill.test.ts',
  'test/e2e/runs.test.ts',
  'test/e2e/shapes.test.ts',
  'test/e2e/teach.test.ts',
  'test/e2e/two-processes.test.ts',
  'test/e2e/discover.test.ts',
  'test/e2e/match-parts.test.ts',
  'test/e2e/classify-parts.test.ts',
  'test/e2e/discover-parts.test.ts',
  'test/e2e/read-words.test.ts',
  'test/e2e/clouds.test.ts',
  'test/e2e/telemetry.test.ts',
  'test/e2e/export-together.test.ts',
  'test/e2e/corrections.test.ts',
  'test/parity/detectors.test.ts',
  'test/parity/pose.test.ts',
  'test/parity/tfjs.test.ts',
]) {
  await import(`../../${file}`);
}
