/** The server as others meet it: who is let in, what is refused, what its document says, and that it lives on. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { currentLabels } from '../core/labels.ts';
import { openWorkspace, type Workspace } from '../jobs/workspace.ts';
import { addTo } from '../stages/add/add.ts';
import { openSources } from '../stages/add/open-sources.ts';
import { createApi } from './app.ts';
import { contextOf } from './context.ts';
import { createJobs } from './jobs.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import { type ReviewServer, startReview } from './serve.ts';

const RUN = { seed: 0, threads: 1 };
let dir = '';
let workspace: Workspace;
let server: ReviewServer;
const log: string[] = [];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'labelsmith-review-'));
  mkdirSync(join(dir, 'photos'));
  for (const [i, background] of ['#c33', '#3c3', '#33c'].entries()) {
    const picture = sharp({ create: { width: 60, height: 40, channels: 3, background } });
    writeFileSync(join(dir, 'photos', `${i}.png`), await picture.png().toBuffer());
  }
  mkdirSync(join(dir, 'page'));
  writeFileSync(join(dir, 'page', 'index.html'), '<!doctype html><title>page</title>');
  workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  const sources = await openSources(workspace, [join(dir, 'photos')]);
  await addTo(workspace, sources, { ...RUN, sync: false });
  server = await startReview(workspace, { ...RUN, port: 0, page: join(dir, 'page'), onLog: (line) => log.push(line) });
});

after(async () => {
  await server.close();
  await workspace.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Headers and paths go as they are given, which `fetch` would not do. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}, port = server.port): Promise<Answered> {
  return new Promise((done, fail) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

const bearer = () => ({ authorization: `Bearer ${server.token}` });

function post(path: string, json: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
  const own = { 'content-type': 'application/json', ...bearer(), ...headers };
  return ask(path, { method: 'POST', headers: own, body: JSON.stringify(json) });
}

const ERROR = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const errorOf = ({ body }: Answered) => ERROR.parse(JSON.parse(body.toString())).error;

async function imageIds(): Promise<string[]> {
  const { body, headers } = await post('/api/items/order', { filter: {}, order: 'id' });
  assert.equal(headers['x-item-bytes'], '32');
  return body.toString('hex').match(/.{64}/g) ?? [];
}

test('nothing is answered without the token; the printed address gives a cookie, once and for all', async () => {
  for (const path of ['/', '/api/workspace', '/api/openapi.json', '/assets/x.js', '/?token=wrong', '/?token=']) {
    const { status, body } = await ask(path);
    assert.equal(status, 401, path);
    assert.ok(!body.toString().includes('page'), path);
  }
  const { pathname, search } = new URL(server.url);
  const opened = await ask(pathname + search);
  assert.equal(opened.status, 303);
  const [cookie = ''] = opened.headers['set-cookie'] ?? [];
  assert.match(cookie, /^labelsmith-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/i);
  const page = await ask('/browse', { headers: { cookie: cookie.split(';')[0] ?? '' } });
  assert.equal(page.status, 200);
  assert.match(
    String(page.headers['content-security-policy']),
    /default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  assert.equal((await ask('/api/workspace', { headers: { cookie: cookie.replace('=', '=x') } })).status, 401);
});

test('another name of this machine, another page and another site are refused with the right token', async () => {
  for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1', `127.0.0.1.:${server.port}`]) {
    assert.equal((await ask('/api/workspace', { headers: { ...bearer(), host } })).status, 421, host);
  }
  for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${server.port + 1}`]) {
    assert.equal((await ask('/api/workspace', { headers: { ...bearer(), origin } })).status, 403, origin);
  }
  assert.equal((await post('/api/undo', {}, { 'sec-fetch-site': 'cross-site' })).status, 403);
  const own = { ...bearer(), origin: `http://127.0.0.1:${server.port}` };
  assert.equal((await ask('/api/workspace', { headers: own })).status, 200);
});

test('images go by id: no path, no id of elsewhere, no file beside the page', async () => {
  const [id = ''] = await imageIds();
  const picture = await ask(`/api/images/${id}/thumbnail`, { headers: bearer() });
  assert.equal(picture.headers['content-type'], 'image/webp');
  assert.equal((await sharp(picture.body).metadata()).width, 60);
  const other = 'ab'.repeat(32);
  for (const path of [`/api/images/${other}`, `/api/images/${other}/thumbnail`, `/api/images/${other}/picture`]) {
    assert.equal((await ask(path, { headers: bearer() })).status, 404, path);
  }
  const paths = [
    '/api/images/..%2f..%2fetc%2fpasswd/thumbnail',
    '/api/images/%2e%2e/thumbnail',
    `/api/images/${id}/thumbnail?region=../../x`,
    `/api/images/${id}/picture?longest=99999999`,
    '/../../package.json',
    '/%2e%2e/%2e%2e/etc/passwd.js',
    '/..%5c..%5cx.js',
  ];
  for (const path of paths) {
    const { status } = await ask(path, { headers: bearer() });
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
  }
});

test('bodies that are too large, no JSON, or not what is asked for are refused, and say what was wrong', async () => {
  const huge = { method: 'POST', headers: { ...bearer(), 'content-type': 'application/json' } };
  // The answer may come, and the connection end, while the rest is still on its way.
  const tooLarge = await ask('/api/labels', { ...huge, body: Buffer.alloc(MAX_BODY_BYTES + 1, ' ') }).catch(
    (error: NodeJS.ErrnoException) => error.code,
  );
  const refused = typeof tooLarge === 'object' ? tooLarge.status : tooLarge;
  assert.ok([413, 'ECONNRESET', 'EPIPE'].includes(refused ?? ''), String(refused));
  assert.equal((await ask('/api/labels', { ...huge, body: '{"task":' })).status, 400);
  const [id = ''] = await imageIds();
  const items = [{ itemId: id, imageId: id }];
  const wrong = [
    { task: 'class', className: 'a' },
    { task: 'class', className: '', items },
    { task: 'class', className: 'a', items: [] },
    { task: 'class', className: 'a', items: [{ itemId: 'x', imageId: id }] },
    { task: 'class', className: 'a', items: new Array(1001).fill(items[0]) },
    { task: 'class', className: 'x'.repeat(201), items },
  ];
  for (const json of wrong)
    assert.equal((await post('/api/labels', json)).status, 400, JSON.stringify(json).slice(0, 80));
  const unknown = await post('/api/labels', { task: 'no such task', className: 'a', items });
  assert.equal(unknown.status, 404);
  assert.equal(errorOf(unknown).code, 'NOT_FOUND');
  assert.equal((await post('/api/items/count', { filter: { color: 'red' } })).status, 400);
  assert.equal((await post('/api/nothing', {})).status, 404);
});

test('an image that is damaged since is an error of its own, and the server goes on', async () => {
  const [, , id = ''] = await imageIds();
  const [path] = (await workspace.store.pathsOfImages([id])).get(id) ?? [];
  writeFileSync(path?.path ?? '', 'no image any more');
  const { status } = await ask(`/api/images/${id}/picture`, { headers: bearer() });
  assert.equal(status, 404);
  assert.equal((await ask('/api/workspace', { headers: bearer() })).status, 200);
  assert.deepEqual(log, []);
});

test('a label is acknowledged with revisions; a stale one is refused; undo and redo come from the record', async () => {
  const [id = ''] = await imageIds();
  const label = (className: string, revision?: number) =>
    post('/api/labels', { task: 'class', className, items: [{ itemId: id, imageId: id, revision }] });
  const holds = async () => {
    const { body } = await post('/api/items/cells', { task: 'class', items: [{ itemId: id, imageId: id }] });
    return JSON.parse(body.toString()).cells[0].labels.map((one: { className: string }) => one.className);
  };
  const first = JSON.parse((await label('red')).body.toString());
  assert.equal(first.items, 1);
  const seen: number = first.revisions[id];
  assert.equal((await label('green', seen)).status, 200);
  const stale = await label('blue', seen);
  assert.equal(stale.status, 409);
  assert.equal(errorOf(stale).code, 'REFUSED');
  assert.deepEqual(await holds(), ['green']);
  await post('/api/undo', {});
  assert.deepEqual(await holds(), ['red']);
  await post('/api/redo', {});
  assert.deepEqual(await holds(), ['green']);
});

test('whoever listens is told of what others write, and counts are those of now', async () => {
  const [id = ''] = await imageIds();
  const count = async () => {
    const { classes, exact } = JSON.parse((await ask('/api/classes', { headers: bearer() })).body.toString());
    assert.equal(exact, true);
    return classes.find(({ name }: { name: string }) => name === 'heard')?.counts[0]?.count ?? 0;
  };
  assert.equal(await count(), 0);
  const listening = new AbortController();
  const events = await fetch(`http://127.0.0.1:${server.port}/api/events`, {
    headers: bearer(),
    signal: listening.signal,
  });
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader?.read())?.value ?? '', /event: still/);
  const said = { task: 'class', className: 'heard', present: true, confidence: 1, runId: null } as const;
  await workspace.store.putLabels([{ ...said, itemId: id, origin: 'human' }]);
  let heard = '';
  while (!heard.includes('event: changed')) heard += (await reader?.read())?.value ?? '';
  listening.abort();
  assert.equal(await count(), 1);
  await post('/api/undo', {});
  assert.equal(await count(), 0);
});

test('a page confirmed with an exception is one operation', async () => {
  const [a = '', b = ''] = await imageIds();
  const ref = (id: string) => ({ itemId: id, imageId: id });
  await post('/api/labels/confirm', { task: 'class', className: 'dog', items: [ref(a)], exceptions: [ref(b)] });
  const cells = await post('/api/items/cells', { task: 'class', items: [ref(a), ref(b)] });
  const [first, second] = JSON.parse(cells.body.toString()).cells;
  assert.equal(first.labels[0].className, 'dog');
  assert.deepEqual([second.labels, second.rejected], [[], ['dog']]);
  const undone = JSON.parse((await post('/api/undo', {})).body.toString());
  assert.deepEqual([undone.operation.name, undone.operation.labels], ['confirm', 2]);
});

test('a box is drawn, moved and deleted; one that has nothing of the image is refused', async () => {
  const [id = ''] = await imageIds();
  const region = { imageId: id, task: 'objects', className: 'knob' };
  const drawn = JSON.parse((await post('/api/regions', { ...region, box: [50, 30, 10, 5] })).body.toString());
  const boxes = async () => {
    const { body } = await ask(`/api/images/${id}`, { headers: bearer() });
    return JSON.parse(body.toString()).regions.map((one: { box: number[] }) => one.box);
  };
  assert.deepEqual(await boxes(), [[10, 5, 50, 30]]);
  await post('/api/regions', { ...region, className: undefined, id: drawn.id, box: [0, 0, 500, 20] });
  assert.deepEqual(await boxes(), [[0, 0, 60, 20]]);
  const classes = async () => {
    const all = (await workspace.store.labelsOf([drawn.id], 'objects')).get(drawn.id) ?? [];
    return currentLabels(all, 'multi').map(({ className }) => className);
  };
  await post('/api/regions', { ...region, className: 'handle', id: drawn.id, box: [0, 0, 60, 20] });
  assert.deepEqual(
    [await classes(), await boxes()],
    [['handle'], [[0, 0, 60, 20]]],
    'another class in place of the first',
  );
  const undone = JSON.parse((await post('/api/undo', {})).body.toString());
  assert.equal(undone.operation.name, 'change class');
  assert.deepEqual(await classes(), ['knob']);
  assert.equal((await post('/api/regions', { ...region, box: [100, 100, 200, 200] })).status, 400);
  await post('/api/regions/delete', { imageId: id, ids: [drawn.id] });
  assert.deepEqual(await boxes(), []);
});

test('a box or a keypoint that somebody else changed meanwhile is not written over, and leaves nothing in the history', async () => {
  const [imageId = ''] = await imageIds();
  const id = '5'.repeat(32);
  await workspace.store.putRegions([
    {
      id,
      imageId,
      box: [10, 10, 30, 30],
      score: null,
      modelKey: null,
      runId: null,
      touched: true,
      deleted: false,
      keypoints: [
        [12, 12, 2],
        [0, 0, 0],
      ],
      mask: null,
      polygons: [[10, 10, 30, 10, 30, 30]],
      crowd: false,
    },
  ]);
  const seen = async () => {
    const { body } = await ask(`/api/images/${imageId}`, { headers: bearer() });
    const { revision, regions } = JSON.parse(body.toString());
    const [{ box, keypoints, polygons }] = regions.filter((one: { id: string }) => one.id === id);
    return { revision, box, keypoints, polygons };
  };
  const operations = async () => (await workspace.store.operations()).length;
  const { revision } = await seen();
  const region = { imageId, id, task: 'objects', revision };
  // Moved by (5, 2): its points go along, but for the one that is nowhere.
  assert.equal((await post('/api/regions', { ...region, box: [15, 12, 35, 32] })).status, 200);
  const after = await seen();
  assert.deepEqual(after.keypoints, [
    [17, 14, 2],
    [0, 0, 0],
  ]);
  assert.deepEqual(after.polygons, [[15, 12, 35, 12, 35, 32]]);

  const before = await operations();
  for (const [path, json] of [
    ['/api/regions', { ...region, box: [0, 0, 20, 20] }],
    ['/api/regions', { ...region, box: after.box, keypoints: after.keypoints }],
    ['/api/regions/delete', { imageId, ids: [id], revision }],
  ] as const) {
    const answered = await post(path, json);
    assert.equal(answered.status, 409, path);
    assert.match(errorOf(answered).message, /changed by somebody else/);
  }
  assert.deepEqual(await seen(), after);
  assert.equal(await operations(), before);

  const keypoints = [
    [20, 20, 2],
    [21, 22, 1],
  ];
  const now = { ...region, revision: after.revision, box: after.box };
  assert.equal((await post('/api/regions', { ...now, keypoints: keypoints.slice(1) })).status, 400, 'one is missing');
  assert.equal((await post('/api/regions', { ...now, keypoints })).status, 200);
  assert.deepEqual(await seen(), { ...after, revision: (await seen()).revision, keypoints });
  // Resized: what was its outline is not any more.
  await post('/api/regions', { ...now, revision: undefined, box: [15, 12, 40, 32] });
  assert.deepEqual([(await seen()).keypoints, (await seen()).polygons], [keypoints, null]);
  for (let i = 0; i < 3; i++) await post('/api/undo', {});
  assert.deepEqual((await seen()).keypoints, [
    [12, 12, 2],
    [0, 0, 0],
  ]);
  await workspace.store.deleteRegionsAsHuman([id]);
});

test('a thousand requests at once are answered', async () => {
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask('/api/workspace', { headers: bearer() })));
  assert.ok(answers.every(({ status }) => status === 200));
});

test('the document has every route that there is, and no other', async () => {
  const { body } = await ask('/api/openapi.json', { headers: bearer() });
  const document = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(JSON.parse(body.toString()));
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const jobs = createJobs({ ...RUN, dir });
  const { routes } = createApi(contextOf(workspace, { jobs, local: true, threads: 1 }));
  const there = routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  assert.deepEqual(told.sort(), [...new Set(there)].sort());
  assert.ok(told.length > 20);
});

test('another address needs a password, which is asked for and gives the cookie', async () => {
  const options = { ...RUN, port: 0, page: join(dir, 'page') };
  await assert.rejects(startReview(workspace, { ...options, host: '0.0.0.0' }), { code: 'USAGE' });
  await assert.rejects(startReview(workspace, { ...options, host: '0.0.0.0', password: 'short' }), { code: 'USAGE' });
  const guarded = await startReview(workspace, { ...options, password: 'correct horse' });
  try {
    assert.ok(!guarded.url.includes(guarded.token));
    assert.equal((await ask('/', {}, guarded.port)).status, 401);
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    assert.equal((await ask('/login', { ...form, body: 'password=wrong' }, guarded.port)).status, 401);
    const admitted = await ask('/login', { ...form, body: 'password=correct+horse' }, guarded.port);
    assert.equal(admitted.status, 303);
  } finally {
    await guarded.close();
  }
});
