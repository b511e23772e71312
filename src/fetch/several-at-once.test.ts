/** Several files of the hub at once: how many, in which order they come back, and what becomes of the others where one fails. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startHub } from '../../test/fixtures/hub-server.ts';
import { LabelsmithError } from '../errors.ts';
import { fetchFiles } from './fetch.ts';

const SIZE = 300_000;

async function hubWith(t: TestContext, count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-several-'));
  const hub = await startHub();
  const saved = { ...process.env };
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: join(folder, 'hf') });
  t.after(() => {
    hub.close();
    rmSync(folder, { recursive: true, force: true });
    for (const name of ['HF_ENDPOINT', 'HF_HOME']) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
  });
  const files = Array.from({ length: count }, (_, i) => {
    const content = randomBytes(SIZE);
    hub.put(`own-er/net/main/part-${i}.onnx`, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { reference: `hf:own-er/net@main#part-${i}.onnx`, sha256, content };
  });
  return { hub, files, options: { cacheDir: join(folder, 'cache'), backoffMs: 1, attempts: 1 } };
}

test('four come at a time, and are handed back in the order in which they were asked for', async (t) => {
  const { hub, files, options } = await hubWith(t, 9);
  let [open, most] = [0, 0];
  hub.storageFault((request, response) => {
    const i = Number(/part-(\d)/.exec(request.url ?? '')?.[1]);
    most = Math.max(most, ++open);
    // The later ones are answered sooner.
    setTimeout(
      () => {
        open--;
        response.writeHead(200, { 'content-length': SIZE }).end(files[i]?.content);
      },
      200 - 20 * i,
    );
  });
  const found = await fetchFiles(files, options);
  assert.deepEqual(
    found.map(({ reference, sha256 }) => [reference, sha256]),
    files.map(({ reference, sha256 }) => [reference, sha256]),
  );
  assert.equal(most, 4);
});

test('where one cannot be had the others are stopped, and go on where they were', async (t) => {
  const { hub, files, options } = await hubWith(t, 3);
  const half = SIZE / 2;
  hub.storageFault((request, response) => {
    const i = Number(/part-(\d)/.exec(request.url ?? '')?.[1]);
    if (i === 2) return void setTimeout(() => response.writeHead(404).end(), 300);
    response.writeHead(200, { 'content-length': SIZE, etag: `"${i}"` }).write(files[i]?.content.subarray(0, half));
  });
  await assert.rejects(
    fetchFiles(files, options),
    (error: unknown) => error instanceof LabelsmithError && error.code === 'NOT_FOUND',
  );
  const ranges: (string | undefined)[] = [];
  hub.storageFault((request, response) => {
    const i = Number(/part-(\d)/.exec(request.url ?? '')?.[1]);
    const content = files[i]?.content ?? new Uint8Array();
    const { range } = request.headers;
    if (i < 2) ranges.push(range);
    if (range === undefined) return void response.writeHead(200, { 'content-length': SIZE }).end(content);
    response.writeHead(206, { 'content-range': `bytes ${half}-${SIZE - 1}/${SIZE}`, etag: `"${i}"` });
    response.end(content.subarray(half));
  });
  assert.equal((await fetchFiles(files, options)).length, 3);
  assert.deepEqual(ranges, [`bytes=${half}-`, `bytes=${half}-`]);
});
