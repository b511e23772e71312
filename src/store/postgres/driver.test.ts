import assert from 'node:assert/strict';
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
});
