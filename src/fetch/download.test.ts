import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BodyResponse, download } from './download.ts';

const answer = (body: AsyncIterable<Uint8Array>, headers: Readonly<Record<string, string>> = {}): BodyResponse => ({
  status: 200,
  header: (name) => headers[name] ?? null,
  body,
});
const options = { what: 'net.onnx', backoffMs: 1, silenceMs: 200 };
const never = () => new Promise<never>(() => undefined);

test('a body without an end, or one that is announced too large, is given up, and nothing of it stays', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-download-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'partial');
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += 1000;
      yield new Uint8Array(1000);
    }
  }
  const tooMuch = { code: 'BAD_FILE', message: /sends more than 100\.0 kB for net\.onnx/ };
  const bounded = { ...options, maxBytes: 100_000 };
  await assert.rejects(
    download(async () => answer(endless(), { etag: '"a"' }), path, bounded),
    tooMuch,
  );
  assert.equal(sent, 101_000);
  const large = answer(endless(), { 'content-length': '100001' });
  await assert.rejects(
    download(async () => large, path, bounded),
    tooMuch,
  );
  assert.deepEqual(await readdir(folder), []);
});

test('a server that says nothing twice is given up; one that goes on later is not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-download-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'partial');
  let asked = 0;
  const silent = { code: 'NETWORK', message: /the server has said nothing for/ };
  await assert.rejects(
    download(
      () => {
        asked++;
        return never();
      },
      path,
      options,
    ),
    silent,
  );
  assert.equal(asked, 2);
  // Half of it, then silence; the second answer has all.
  async function* halting(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('ab');
    if (asked === 3) await never();
    yield Buffer.from('cd');
  }
  await download(
    async () => {
      asked++;
      return answer(halting());
    },
    path,
    options,
  );
  assert.equal(await readFile(path, 'utf8'), 'abcd');
});
