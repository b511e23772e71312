/** Where machines of a test meet: a PostgreSQL and a folder of the test's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { type PostgresServer, postgresPrograms, startPostgres } from '../postgres/server.ts';

/** Filled before the first test. */
export interface SharedPlace {
  /** The server's address; with `?schema=NAME` behind it, that of a workspace. */
  url: string;
  dir: string;
}

/** Describes tests that need both; they are skipped, with the reason, where PostgreSQL is not installed. */
export function describeShared(name: string, tests: (place: SharedPlace) => void): void {
  const found = postgresPrograms();
  describe(name, { skip: 'missing' in found ? found.missing : false }, () => {
    const place: SharedPlace = { url: '', dir: '' };
    let server: PostgresServer | undefined;
    before(async () => {
      server = await startPostgres();
      place.url = server.url;
      place.dir = await mkdtemp(join(tmpdir(), 'labelsmith-shared-'));
    });
    after(async () => {
      await server?.stop();
      if (place.dir !== '') await rm(place.dir, { recursive: true, force: true });
    });
    tests(place);
  });
}
