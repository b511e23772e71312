import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../test/cli.ts';
import { folderSink } from '../sources/folder-sink.ts';
import { push } from '../stages/push/push.ts';
import { pushedByFlow } from './pushed.ts';

test('what lies below a target is at it; what is beside it is not, whatever its name begins with', async (t) => {
  const dir = await scratch(t);
  const [frames, disk, other] = ['frames', 'a disk', 'a disk 2'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [frames, join(disk, 'line'), other]) mkdirSync(folder, { recursive: true });
  for (const name of ['a.jpg', 'b.jpg']) writeFileSync(join(frames, name), name);
  for (const place of [join(disk, 'line'), other]) await push(frames, await folderSink(place));
  const targets = [
    { name: 'disk', address: disk },
    { name: 'other', address: `${other}/` },
    { name: 'cloud', address: 's3://bucket/line' },
  ];
  const found = await pushedByFlow({ targets, folders: [frames, join(dir, 'gone')] });
  assert.deepEqual(
    found.map(({ name, pushed }) => [name, pushed.map(({ files }) => files)]),
    [
      ['disk', [2]],
      ['other', [2]],
      ['cloud', []],
    ],
  );
});
