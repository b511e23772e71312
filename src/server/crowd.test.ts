/** Many who come at once, and some who do not finish: they hold little, the log tells of them, and the server lives on. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { askerOf, type ReviewedPictures, RUN, reviewedPictures } from '../../test/fixtures/review-server.ts';
import { type ReviewServer, startReview } from './serve.ts';

const LIMITS = { connections: 400, headersMs: 2000, requestMs: 3000 };
/** Fewer than the system keeps waiting to be accepted. */
const BATCH = 200;
let pictures: ReviewedPictures;
let server: ReviewServer;
const log: string[] = [];

before(async () => {
  pictures = await reviewedPictures();
  const { workspace, page } = pictures;
  server = await startReview(workspace, { ...RUN, port: 0, page, limits: LIMITS, onLog: (line) => log.push(line) });
});

after(async () => {
  await server.close();
  await pictures.close();
});

interface Caller {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  said(): string;
}

function call(): Promise<Caller> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  const caller = { socket, closed, said: () => text };
  return new Promise((done) => {
    socket.once('connect', () => done(caller));
    socket.once('close', () => done(caller));
  });
}

async function alive(): Promise<void> {
  for (;;) {
    const answer = await askerOf(server)('/workspace').catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((next) => setTimeout(next, 50));
  }
}

test('of thousands of connections those beyond the limit are turned away and told of; the others end when nothing comes', async (t) => {
  const callers: Caller[] = [];
  const isTold = () => /\d+ connections were turned away: 400 are open/.test(log.join('\n'));
  while (callers.length < 3000 || !isTold()) callers.push(...(await Promise.all(Array.from({ length: BATCH }, call))));
  t.diagnostic(`${callers.length} connections: ${log.at(-1)}`);
  // Those that are open end by themselves, and others are let in.
  await alive();
  assert.ok(callers.every(({ said }) => !said().includes('200 OK')));
  for (const { socket } of callers) socket.destroy();
});

test('headers that come a letter at a time are not waited for, and others are answered meanwhile', async () => {
  const callers = await Promise.all(Array.from({ length: 200 }, call));
  const began = performance.now();
  for (const { socket } of callers) socket.write('GET / HTTP/1.1\r\nX-Slow: ');
  const dripping = setInterval(() => {
    for (const { socket } of callers) if (socket.writable) socket.write('a');
  }, 100);
  assert.equal((await askerOf(server)('/workspace')).status, 200);
  await Promise.all(callers.map(({ closed }) => closed));
  clearInterval(dripping);
  assert.ok(performance.now() - began >= 500, 'they had some time');
  await alive();
});

test('a body that does not come is not waited for', async () => {
  const callers = await Promise.all(Array.from({ length: 50 }, call));
  for (const { socket } of callers) {
    socket.write(
      `POST /api/labels HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
  }
  await Promise.all(callers.map(({ closed }) => closed));
  for (const { said } of callers) assert.match(said(), /^HTTP\/1.1 408/);
  await alive();
});

test('a thousand requests of every kind at once are answered, in bounded memory', async (t) => {
  // As it is without other limits, but for the time: those who ask are in this process too, and keep it from reading in time.
  const limits = { headersMs: 60_000 };
  const usual = await startReview(pictures.workspace, { ...RUN, port: 0, page: pictures.page, limits });
  t.after(() => usual.close());
  const ask = askerOf(usual);
  const bytes = Buffer.from(await (await ask('/items/order', { filter: {}, order: 'id' })).arrayBuffer());
  const [id = ''] = bytes.toString('hex').match(/.{64}/g) ?? [];
  const kinds: readonly (() => Promise<Response>)[] = [
    () => ask('/workspace'),
    () => ask('/classes'),
    () => ask('/items/count', { filter: {} }),
    () => ask('/items/order', { filter: {}, order: 'newest' }),
    () => ask('/items/cells', { task: 'class', items: [{ itemId: id, imageId: id }] }),
    () => ask(`/images/${id}`),
    () => ask(`/images/${id}/thumbnail`),
    () => ask('/labels', { task: 'class', className: 'cat', items: [{ itemId: id, imageId: id }] }),
    () => ask('/operations'),
    () => ask('/openapi.json'),
  ];
  const before = process.memoryUsage.rss();
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const answer = await kinds[i % kinds.length]();
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  assert.deepEqual([...new Set(statuses)], [200]);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  t.diagnostic(`${Math.round(grown)} MiB more, those who ask included`);
  assert.ok(grown < 512);
  assert.equal((await pictures.workspace.store.operations({ limit: 200 })).length, 100, 'each label is one operation');
});
