/** `watch` as a user runs it: images of classes that the workspace has arrive, whole and in halves, and are labelled. */
import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATA, runCli, runJson, scratch, startCli, without } from '../cli.ts';
import { imagesIn, statusIn } from '../workspace.ts';

const KINDS = ['accordion', 'leopards'];
const KNOWN = 16;

interface Watched {
  readonly by: string;
  readonly counts: {
    readonly images: number;
    readonly labelled: number;
    readonly moved: number;
    readonly missing: number;
  };
}

test('images that arrive get the classes there are; halves are waited for, names followed, a kill made good', {
  skip: without('caltech-30'),
}, async (t) => {
  const dir = await scratch(t);
  const set = join(DATA, 'caltech-30');
  const [photos, arriving] = [join(dir, 'photos'), join(dir, 'arriving')];
  mkdirSync(photos);
  mkdirSync(arriving);
  const files = KINDS.map((kind) =>
    readdirSync(join(set, kind))
      .sort()
      .map((name) => join(set, kind, name)),
  );
  for (const [k, of] of files.entries()) {
    for (const [i, file] of of.slice(0, KNOWN).entries()) cpSync(file, join(photos, `${i * 2 + k}.jpg`));
  }
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['embed'], { cwd: dir });
  await runJson(['discover', '--k', '2'], { cwd: dir });
  const before = await imagesIn(dir);
  const classOf = (
    row: { readonly labels: readonly { readonly task: string; readonly class: string }[] } | undefined,
  ) => row?.labels.find(({ task }) => task === 'class')?.class;
  const expected = KINDS.map((_, k) => {
    const counts = new Map<string, number>();
    for (let i = 0; i < KNOWN; i++) {
      const name = classOf([...before].find(([file]) => basename(file) === `${i * 2 + k}.jpg`)?.[1]) ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
  });

  // Some arrive while it is killed; it is run again, and finds the rest.
  for (const [k, of] of files.entries()) {
    for (const [i, file] of of.slice(KNOWN, KNOWN + 4).entries()) cpSync(file, join(arriving, `${KINDS[k]}-${i}.jpg`));
  }
  await runCli(['watch', 'arriving', '--skip-detect'], { cwd: dir, killAfterMs: 2500 });
  await runJson(['watch', 'arriving', '--skip-detect', '--until-idle', '1s'], { cwd: dir });
  assert.equal((await statusIn(dir)).images, 2 * KNOWN + 8, 'what a kill left undone is done');
  renameSync(join(arriving, 'accordion-0.jpg'), join(arriving, 'accordion-renamed.jpg'));
  rmSync(join(arriving, 'leopards-0.jpg'));
  const child = startCli(['watch', 'arriving', '--skip-detect', '--until-idle', '3s', '--json'], { cwd: dir });
  let stdout = '';
  child.stdout?.on('data', (text) => (stdout += text));
  const ended = new Promise<number | null>((done) => child.on('close', done));
  await sleep(1000);
  const half = readFileSync(files[0]![KNOWN + 5]!);
  const open = openSync(join(arriving, 'accordion-half.jpg'), 'w');
  writeSync(open, half.subarray(0, half.length / 2));
  await sleep(200);
  writeSync(open, half.subarray(half.length / 2));
  closeSync(open);
  cpSync(files[1]![KNOWN + 6]!, join(arriving, 'leopards-5.jpg'));
  assert.equal(await ended, 0);
  const { by, counts } = JSON.parse(stdout) as Watched;
  assert.equal(by, 'clusters');
  assert.ok(counts.moved === 1 && counts.missing === 1, stdout);
  const { images, integrity } = await statusIn(dir);
  // The image whose only file is gone is not counted; its label stays.
  assert.deepEqual([images, integrity], [2 * KNOWN + 9, 'ok'], stdout);
  const rows = await imagesIn(dir);
  let right = 0;
  for (const [file, row] of rows) {
    const kind = KINDS.findIndex((name) => basename(file).startsWith(name));
    if (kind >= 0 && classOf(row) === expected[kind]) right++;
  }
  assert.ok(right >= 6, `${right} of 9 have the class of their kind`);
  for (const stage of ['embed', 'detect']) {
    const left = await runJson<{ images?: number; items?: number }>([stage, '--dry-run'], { cwd: dir });
    assert.equal(left.items ?? left.images, stage === 'embed' ? 0 : images, `${stage} has nothing left to do`);
  }
});
