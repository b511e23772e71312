import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { feedContract } from '../../test/contracts/feed.ts';
import { inTemporaryFolder, isError } from '../../test/contracts/source.ts';
import { zipOf } from '../../test/fixtures/zip-and-tar.ts';
import { watchFolder } from './watched-folder.ts';

const SETTLE_MS = 120;

feedContract({
  name: 'watched folder',
  settleMs: SETTLE_MS,
  async open(folder) {
    const path = (name = '') => join(folder, 'in', name);
    mkdirSync(path());
    return {
      feed: await watchFolder('in', { cwd: folder, settleMs: SETTLE_MS, lookEveryMs: 20 }),
      async put(name, content, pauseMs = 0) {
        writeFileSync(path(name), content.slice(0, content.length / 2));
        if (pauseMs > 0) await sleep(pauseMs);
        appendFileSync(path(name), content.slice(content.length / 2));
      },
      remove: async (name) => rmSync(path(name)),
      away: async () => renameSync(path(), join(folder, 'away')),
      back: async () => renameSync(join(folder, 'away'), path()),
    };
  },
});

/** Looks at times that the test decides: each look happens when the one before was given its time. */
function steps(times: readonly number[]) {
  const stop = new AbortController();
  let at = 0;
  const clock = {
    now: () => times[Math.min(at, times.length - 1)],
    sleep: async () => {
      if (++at >= times.length) stop.abort();
    },
  };
  return { clock, signal: stop.signal, at: () => times[at] };
}

test('a file is whole after settleMs without change, measured from the last change that was seen', () =>
  inTemporaryFolder(async (folder) => {
    const write = (content: string, seconds: number) => {
      writeFileSync(join(folder, 'a.jpg'), content);
      utimesSync(join(folder, 'a.jpg'), seconds, seconds);
    };
    write('half', 1000);
    const { clock, signal, at } = steps([0, 500, 900, 1400, 1900, 2000, 9000]);
    const changing = {
      ...clock,
      sleep: async () => {
        await clock.sleep();
        if (at() === 900) write('whole', 1001);
      },
    };
    const feed = await watchFolder(folder, { cwd: '/', settleMs: 1000, clock: changing });
    const given: unknown[] = [];
    const waiting: unknown[] = [];
    const onLook = (isWaiting: boolean) => waiting.push([at(), isWaiting]);
    for await (const item of feed.follow({ signal, onLook })) given.push([item.kind, at()]);
    assert.deepEqual(given, [['entry', 1900]]);
    assert.deepEqual(waiting.slice(0, 6), [
      [0, true],
      [500, true],
      [900, true],
      [1400, true],
      [1900, false],
      [2000, false],
    ]);
  }));

test('an archive is opened when it is whole; a pipe is told of once', () =>
  inTemporaryFolder(async (folder) => {
    const zip = zipOf([{ name: 'a.jpg', content: Buffer.from('a') }]);
    writeFileSync(join(folder, 'b.zip'), zip.subarray(0, 40));
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    const { clock, signal, at } = steps([0, 500, 1000, 1500, 2000, 2500]);
    const growing = {
      ...clock,
      sleep: async () => {
        await clock.sleep();
        if (at() === 500) writeFileSync(join(folder, 'b.zip'), zip);
      },
    };
    const feed = await watchFolder(folder, { cwd: '/', settleMs: 1000, clock: growing });
    const given: string[] = [];
    for await (const item of feed.follow({ signal })) {
      const path = item.kind === 'entry' ? item.entry.path : `${item.problem.reason} ${item.problem.path}`;
      given.push(`${at()} ${path.replace(`${folder}/`, '')}`);
    }
    assert.deepEqual(given, ['0 not-a-file pipe.jpg', '1500 b.zip!/a.jpg']);
  }));

test('only folders are watched', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'a.jpg'), 'x');
    await assert.rejects(watchFolder('a.jpg', { cwd: folder }), isError('NOT_FOUND'));
    await assert.rejects(watchFolder('gone', { cwd: folder }), isError('NOT_FOUND'));
  }));
