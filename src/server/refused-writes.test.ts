/** Writes that would lose what somebody said: each is refused, or kept beside it. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { askerOf, type ReviewedPictures, RUN, reviewedPictures } from '../../test/fixtures/review-server.ts';
import { type ReviewServer, startReview } from './serve.ts';

const WRITTEN = z.object({ id: z.string().default(''), revisions: z.record(z.string(), z.number()) });
const FAILED = z.object({ error: z.object({ code: z.string() }) });

let pictures: ReviewedPictures;
let server: ReviewServer;
let ask: ReturnType<typeof askerOf>;
let imageId = '';

before(async () => {
  pictures = await reviewedPictures();
  const { workspace, page } = pictures;
  server = await startReview(workspace, { ...RUN, port: 0, page });
  ask = askerOf(server);
  const { ids } = await workspace.store.packed({ limit: 1 });
  imageId = Buffer.from(ids).toString('hex');
});
after(async () => {
  await server.close();
  await pictures.close();
});

async function refused(answer: Promise<Response>): Promise<[number, string]> {
  const { status, json } = await answer.then(async (one) => ({ status: one.status, json: await one.json() }));
  return [status, FAILED.parse(json).error.code];
}

const written = async (answer: Promise<Response>) => WRITTEN.parse(await (await answer).json());

test('a screenful with an image that somebody else labelled meanwhile is refused whole, and leaves no operation', async () => {
  const { store } = pictures.workspace;
  const item = { itemId: imageId, imageId };
  const { revisions } = await written(ask('/labels', { task: 'class', className: 'cup', items: [item] }));
  const seen = { ...item, revision: revisions[imageId] };
  await written(ask('/labels', { task: 'class', className: 'mug', items: [item] }));
  const confirm = (one: object) =>
    ask('/labels/confirm', { task: 'class', className: 'cup', items: [one], exceptions: [] });
  const before = (await store.operations()).length;
  assert.deepEqual(await refused(confirm(seen)), [409, 'REFUSED']);
  assert.deepEqual(await refused(confirm({ itemId: '0'.repeat(64), imageId: '0'.repeat(64) })), [404, 'NOT_FOUND']);
  assert.equal((await store.operations()).length, before);
});

test('a box that is drawn where another one was before it was moved is one of its own', async () => {
  const draw = (box: readonly number[], id?: string) =>
    written(ask('/regions', { imageId, id, box, task: 'objects', className: id ? undefined : 'cup' }));
  const first = await draw([2, 2, 12, 12]);
  assert.equal((await draw([2, 2, 12, 12])).id, first.id, 'drawn twice');
  await draw([20, 20, 30, 30], first.id);
  const second = await draw([2, 2, 12, 12]);
  const regions = (await pictures.workspace.store.regionsOf([imageId])).get(imageId) ?? [];
  const boxes = new Map(regions.map(({ id, box }) => [id, [...box]]));
  assert.deepEqual(boxes.get(first.id), [20, 20, 30, 30]);
  assert.deepEqual(boxes.get(second.id), [2, 2, 12, 12]);
});

test('a text to look for in paths with a NUL character in it, or longer than any path, is refused', async () => {
  for (const path of ['\0', 'a\0b', 'x'.repeat(100_000)]) {
    assert.deepEqual(await refused(ask('/items/count', { filter: { path } })), [400, 'USAGE']);
  }
});

test('a job can be begun when the one before is told to be done; one that is stopped at once was stopped', async () => {
  const job = z.object({ jobs: z.array(z.object({ state: z.string(), endedAtMs: z.number().nullable() })) });
  const newest = async () => {
    for (;;) {
      const [found] = job.parse(await (await ask('/jobs')).json()).jobs;
      if (found && found.state !== 'running') return found;
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  const began = z.object({ id: z.number() });
  const start = async () =>
    began.parse(await (await ask('/jobs', { kind: 'split', className: 'no', into: 2, task: 'class' })).json());
  await start();
  assert.equal((await newest()).state, 'failed', 'there is no such class');
  const { id } = await start();
  assert.equal((await ask(`/jobs/${id}/stop`, {})).status, 200);
  assert.equal((await newest()).state, 'stopped');
});

test('while the workspace is moved away nothing is answered, and nothing is acknowledged', async () => {
  const { dir } = pictures.workspace;
  const away = join(pictures.dir, 'away');
  const label = () => ask('/labels', { task: 'class', className: 'lost', items: [{ itemId: imageId, imageId }] });
  renameSync(dir, away);
  assert.deepEqual(await refused(label()), [500, 'WORKSPACE']);
  assert.deepEqual(await refused(ask('/workspace')), [500, 'WORKSPACE']);
  renameSync(away, dir);
  assert.equal((await label()).status, 200);
});
