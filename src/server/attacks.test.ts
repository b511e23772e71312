/** Requests that no page makes: what is large, half there, ambiguous or named like parts of the language. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { type ReviewedPictures, RUN, reviewedPictures } from '../../test/fixtures/review-server.ts';
import { MAX_PICTURE_BYTES } from './limits.ts';
import { type ReviewServer, startReview } from './serve.ts';

let pictures: ReviewedPictures;
let server: ReviewServer;
const log: string[] = [];
const REQUEST_MS = 2000;

before(async () => {
  pictures = await reviewedPictures();
  const { workspace, page } = pictures;
  const limits = { headersMs: REQUEST_MS, requestMs: REQUEST_MS };
  server = await startReview(workspace, { ...RUN, port: 0, page, limits, onLog: (line) => log.push(line) });
});
after(async () => {
  await server.close();
  await pictures.close();
});

/** What comes back for exactly these bytes, until the server closes the connection. */
function raw(lines: readonly string[], body = ''): Promise<string> {
  return new Promise((done, fail) => {
    let answer = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('close', () => done(answer)).on('error', fail);
  });
}

const host = () => `Host: 127.0.0.1:${server.port}`;
const bearer = () => `Authorization: Bearer ${server.token}`;
const END = 'Connection: close';
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const PICTURE = 'POST /api/search/picture HTTP/1.1';

async function ask(path: string, { method = 'GET', body }: { method?: string; body?: string } = {}) {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${server.port}/api${path}`, { method, headers, body });
}

async function isAlive(): Promise<void> {
  assert.equal((await ask('/workspace')).status, 200);
  assert.deepEqual(log, []);
}

test('a picture of unknown length, one too large, one of a stranger and one that never comes whole are refused unread', async () => {
  const chunked = 'Transfer-Encoding: chunked';
  assert.equal(statusOf(await raw([PICTURE, host(), bearer(), END, chunked], '5\r\nabcde\r\n0\r\n\r\n')), 411);
  const tooLarge = `Content-Length: ${MAX_PICTURE_BYTES + 1}`;
  assert.equal(statusOf(await raw([PICTURE, host(), bearer(), END, tooLarge])), 413);
  const large = `Content-Length: ${MAX_PICTURE_BYTES}`;
  assert.equal(statusOf(await raw([PICTURE, host(), END, large])), 401, 'before a byte of it was sent');
  const late = await raw([PICTURE, host(), bearer(), large], 'only this');
  assert.ok(late === '' || statusOf(late) === 408, late);
  await isAlive();
});

test('a request with two ends, two hosts, or a whole address of elsewhere is refused', async () => {
  const label = 'POST /api/undo HTTP/1.1';
  const both = ['Content-Length: 4', 'Transfer-Encoding: chunked'];
  const smuggled = await raw([label, host(), bearer(), END, ...both], '0\r\n\r\nGET /api/workspace HTTP/1.1\r\n\r\n');
  assert.equal(statusOf(smuggled), 400);
  assert.equal(smuggled.match(/HTTP\/1\.1/g)?.length, 1, 'one answer');
  const two = await raw(['GET /api/workspace HTTP/1.1', host(), 'Host: evil.example', bearer(), END]);
  assert.ok(statusOf(two) === 400 || !two.includes('evil'), two);
  const whole = await raw(['GET http://evil.example/api/workspace HTTP/1.1', 'Host: evil.example', bearer(), END]);
  assert.equal(statusOf(whole), 421);
  await isAlive();
});

test('another page learns nothing from asking whether it may ask, and methods that no route has do nothing', async () => {
  const evil = 'Origin: http://evil.example';
  const asked = await raw([
    'OPTIONS /api/labels HTTP/1.1',
    ...[host(), bearer(), evil, 'Access-Control-Request-Method: POST', END],
  ]);
  assert.equal(statusOf(asked), 403);
  assert.doesNotMatch(asked, /access-control-allow/i);
  for (const method of ['TRACE', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await raw([`${method} /api/workspace HTTP/1.1`, host(), bearer(), END]);
    assert.ok([400, 404, 405].includes(statusOf(answer)), `${method}: ${answer}`);
    assert.ok(!answer.includes(server.token), 'no header comes back');
  }
  await isAlive();
});

test('names that mean something to the language, to markup or to a terminal are names', async () => {
  const bytes = Buffer.from(await (await ask('/items/order', { method: 'POST', body: '{"filter":{}}' })).arrayBuffer());
  const [id = ''] = bytes.toString('hex').match(/.{64}/g) ?? [];
  const items = [{ itemId: id, imageId: id }];
  for (const className of ['__proto__', 'constructor', '<img src=x onerror=alert(1)>', '{{7*7}}']) {
    const body = JSON.stringify({ task: 'class', className, items });
    assert.equal((await ask('/labels', { method: 'POST', body })).status, 200, className);
    const { cells } = z
      .object({ cells: z.array(z.object({ labels: z.array(z.object({ className: z.string() })) })) })
      .parse(
        await (await ask('/items/cells', { method: 'POST', body: JSON.stringify({ task: 'class', items }) })).json(),
      );
    assert.equal(cells[0]?.labels[0]?.className, className);
  }
  const polluted = `{"task":"class","className":"a","items":${JSON.stringify(items)},"__proto__":{"isAdmin":true}}`;
  await ask('/labels', { method: 'POST', body: polluted });
  assert.equal(Reflect.get({}, 'isAdmin'), undefined);
  const answer = await ask('/classes');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  await isAlive();
});

test('items that are named each with a class of its own are one operation', async () => {
  const bytes = Buffer.from(await (await ask('/items/order', { method: 'POST', body: '{"filter":{}}' })).arrayBuffer());
  const ids = bytes.toString('hex').match(/.{64}/g) ?? [];
  const items = ids.map((id, i) => ({ itemId: id, imageId: id, ...(i === 0 ? {} : { className: `own ${i}` }) }));
  const body = JSON.stringify({ task: 'class', className: 'of all', items });
  assert.equal((await ask('/labels', { method: 'POST', body })).status, 200);
  const { store } = pictures.workspace;
  const held = await store.labelsOf(ids, 'class');
  const last = ids.map((id) => held.get(id)?.toSorted((a, b) => b.sequence - a.sequence)[0]?.className);
  assert.deepEqual(last, ['of all', 'own 1', 'own 2']);
  assert.equal((await ask('/undo', { method: 'POST' })).status, 200);
  const after = await store.labelsOf(ids, 'class');
  assert.ok(ids.every((id) => !(after.get(id) ?? []).some(({ className }) => /^own|of all/.test(className))));
  await isAlive();
});
