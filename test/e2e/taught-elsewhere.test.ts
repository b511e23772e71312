/**
 * What is taught on one machine of a workspace in PostgreSQL is used on another, through the built command line. Two machines: two
 * caches and two current folders; they meet in the database and in the blobs.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliOptions, runCli, runJson } from '../cli.ts';
import { type CommandParts, openCommandParts } from '../command-parts.ts';
import { describeShared } from '../fleet/shared-place.ts';

/** Eight files of each of three classes, of which one is a copy. */
const UNIQUE = 21;

describeShared('two machines', (place) => {
  let parts: CommandParts;
  let here: CliOptions;
  let there: CliOptions;
  const at = () => ['-w', `${place.url}?schema=taught`];
  const photos = () => join(parts.dir, 'photos');

  before(async () => {
    parts = await openCommandParts(['one']);
    here = parts.options;
    const elsewhere = join(place.dir, 'machine');
    mkdirSync(elsewhere);
    const cache = join(elsewhere, 'cache');
    cpSync(here.env?.LABELSMITH_CACHE ?? '', cache, { recursive: true });
    there = { cwd: elsewhere, env: { ...here.env, LABELSMITH_CACHE: cache } };
    const rows = ['red', 'green', 'blue'].flatMap((name) => [0, 3, 4].map((n) => `photos/${name}/${n}.jpg,${name}`));
    writeFileSync(join(parts.dir, 'labels.csv'), ['file,class', ...rows, ''].join('\n'));
    await runJson(['import', 'csv', 'labels.csv', '--as', 'human', '-w', 'one'], here);
    await runJson(['workspace', 'copy', 'one', at()[1] ?? '', '--blobs', join(place.dir, 'blobs')], here);
  });
  after(() => parts.close());

  test('a classifier of teach rounds labels and predicts on the other', async () => {
    const none = await runCli(['classify', ...at()], there);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no classifier "class".*none of a task of that name in postgres:.*\n.*teach rounds/);
    const { model, modelSha256 } = await runJson<{ model: string; modelSha256: string }>(
      ['teach', 'rounds', '--threads', '1', ...at()],
      here,
    );
    const key = `class@${modelSha256.slice(0, 16)}`;
    const predict = ['teach', 'predict', photos(), '--threads', '1'];
    const [own, named] = [
      await runJson<{ model: string }>([...predict, ...at()], there),
      await runJson([...predict, '--model', model], here),
    ];
    assert.deepEqual(own, named);
    assert.equal(own.model, key);
    const classified = await runJson<{ task: string; classified: number }>(['classify', ...at()], there);
    assert.deepEqual([classified.task, classified.classified], ['class', UNIQUE]);
    const trained = await runJson<{ model: string }>(['teach', 'train', '--threads', '1', ...at()], here);
    const byFile = await runJson([...predict, '--model', trained.model], here);
    assert.deepEqual(await runJson([...predict, '--model', 'class.base', ...at()], there), byFile);
    const unknown = await runCli([...predict, '--model', 'parts', ...at()], there);
    assert.deepEqual([unknown.code, unknown.stderr.includes('No classifier "parts" was taught')], [1, true]);
    assert.equal(
      (await runJson<{ classified: number }>(['classify', 'class.base', ...at()], there)).classified,
      UNIQUE,
    );
  });

  test('workspace copy takes it along, out of PostgreSQL and into it', async () => {
    await runJson(['workspace', 'copy', at()[1] ?? '', 'back'], there);
    const files = ['class.onnx', 'class.base.onnx'];
    const bytesIn = (dir: string) => files.map((name) => readFileSync(join(dir, 'models', name)));
    const back = bytesIn(join(there.cwd, 'back'));
    const again = `${place.url}?schema=again`;
    await runJson(['workspace', 'copy', 'back', again, '--blobs', join(place.dir, 'again')], there);
    await runJson(['workspace', 'copy', again, 'once-more'], here);
    assert.deepEqual(bytesIn(join(here.cwd, 'once-more')), back);
    // A workspace that is in use is left alone, its classifier too.
    writeFileSync(join(there.cwd, 'back', 'models', 'class.onnx'), 'mine');
    const used = await runCli(['workspace', 'copy', again, 'back'], there);
    assert.equal(used.code, 1);
    assert.match(used.stderr, /in use already: nothing was copied/);
    assert.equal(readFileSync(join(there.cwd, 'back', 'models', 'class.onnx'), 'utf8'), 'mine');
  });
});
