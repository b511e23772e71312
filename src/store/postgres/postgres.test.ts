import { after, before, describe } from 'node:test';
import { storeContract } from '../../../test/contracts/store.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../../../test/postgres/server.ts';
import { openStore, SERVER } from '../../../test/postgres/store.ts';

const found = postgresPrograms();

describe('PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
    process.env[SERVER] = server.url;
  });
  after(() => server.stop());

  storeContract('PostgreSQL', openStore, new URL('../../../test/postgres/store.ts', import.meta.url).href);
});
