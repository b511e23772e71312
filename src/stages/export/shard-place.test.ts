import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { scratch } from '../../../test/cli.ts';
import { indexText } from '../../formats/shard-index.ts';
import { openSink } from '../../sources/targets.ts';
import { madeFile, sinkPlace } from './shard-place.ts';

const SHARDS = ['part-000000.csv', 'part-000001.csv'];
const NOTHING = { images: 0, regions: 0, labels: 0, splits: {}, loses: [], lost: {}, shards: [] };
const begun = indexText({
  madeBy: 'labelsmith',
  version: '1',
  complete: false,
  format: 'csv',
  task: null,
  rule: null,
  shardSize: 1,
  ...NOTHING,
});

const CASES = SHARDS.flatMap((theirs) => [false, true].map((replace) => ({ theirs, replace })));

for (const { theirs, replace } of CASES) {
  test(`somebody's ${theirs} in a folder: refused, and stays (${JSON.stringify({ replace })})`, async (t) => {
    const dir = await scratch(t);
    const [folder, work] = ['folder', 'work'].map((name) => join(dir, name));
    for (const path of [folder, work]) mkdirSync(path);
    writeFileSync(join(folder, theirs), 'mine');
    const sink = await openSink(pathToFileURL(folder).href, { cwd: '/' });
    t.after(() => sink.close());
    const place = await sinkPlace(sink, { work, begun, replace });
    const putAll = async () => {
      for (const name of SHARDS) {
        writeFileSync(join(work, name), name);
        await place.put(name, await madeFile(join(work, name)));
      }
    };
    await assert.rejects(putAll, { code: 'REFUSED', message: new RegExp(`is not empty: .*${theirs}`) });
    assert.equal(readFileSync(join(folder, theirs), 'utf8'), 'mine');
    // A file of the first name is noticed before anything is written.
    if (theirs === SHARDS[0]) assert.deepEqual(readdirSync(folder), [theirs]);
  });
}
