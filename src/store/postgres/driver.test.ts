import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import { postgresAddress } from './address.ts';
import { openPostgres } from './driver.ts';

const found = postgresPrograms();

describe('connections to PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test('one that is lost before a commit fails that one, and the next one writes', async () => {
    const address = postgresAddress(`${server.url}?schema=lost`);
    const driver = await openPostgres({ address, create: true, busyTimeoutMs: 5000, patienceMs: 5000 });
    const lost = driver.transaction(async (transaction) => {
      await transaction.before([]);
      await server.restart();
    });
    await assert.rejects(lost, { code: 'NETWORK' });
    const written = await driver.transaction(async (transaction) => {
      await transaction.before([]);
      return 'written';
    });
    assert.equal(written, 'written');
    await driver.close();
  });

  test('one that may be repeated is done again where the connection was lost, and once where only the answer was', async () => {
    const address = postgresAddress(`${server.url}?schema=again`);
    const driver = await openPostgres({ address, create: true, busyTimeoutMs: 5000, patienceMs: 10_000 });
    const { db } = driver;
    const said = (key: string) => driver.read([db.selectFrom('setting').select('value').where('key', '=', key)]);
    const insert = 'insert into setting (key, value) values (?, ?)';
    let times = 0;
    await driver.transaction(
      async (transaction) => {
        times++;
        transaction.add(insert, ['again', `${times}`]);
        await transaction.changed();
        if (times === 1) await server.restart();
      },
      { isRepeatable: true },
    );
    assert.equal(times, 2);
    assert.deepEqual(await said('again'), [[{ value: '2' }]]);
    await driver.close();

    // Between the two stands what takes the answer to COMMIT away, once it was given.
    const relay = await startRelay(server.url);
    const far = await openPostgres({
      address: postgresAddress(`${relay.url}?schema=again`),
      create: false,
      busyTimeoutMs: 5000,
      patienceMs: 10_000,
    });
    times = 0;
    await far.transaction(
      async (transaction) => {
        times++;
        transaction.add(insert, ['once', `${times}`]);
        await transaction.changed();
        relay.loseAnswerTo('COMMIT');
      },
      { isRepeatable: true },
    );
    assert.equal(relay.lost(), 1);
    assert.equal(times, 1);
    assert.deepEqual(await far.read([far.db.selectFrom('setting').select('value').where('key', '=', 'once')]), [
      [{ value: '1' }],
    ]);
    await far.close();
    await relay.close();
  });
});

/** Hands on what both sides say, but for one answer: the connection is cut in its place, when the server has given it. */
async function startRelay(url: string) {
  const { port } = new URL(url);
  let losing: string | undefined;
  let lost = 0;
  const sockets = new Set<Socket>();
  const relay = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    let isLosing = false;
    near.on('data', (bytes) => {
      if (losing !== undefined && bytes.includes(losing)) [isLosing, losing] = [true, undefined];
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!isLosing) return near.write(bytes);
      lost++;
      near.destroy();
      far.destroy();
    });
    for (const one of [near, far]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => (one === near ? far : near).destroy());
    }
  });
  await new Promise<void>((ready) => relay.listen(0, '127.0.0.1', ready));
  const address = relay.address();
  const at = new URL(url);
  if (typeof address === 'object' && address !== null) at.port = String(address.port);
  return {
    url: at.href,
    loseAnswerTo: (text: string) => {
      losing = text;
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => relay.close(closed));
    },
  };
}
