/**
 * A PostgreSQL of the test's own on 127.0.0.1, from the machine's installation (Debian's `postgresql`, or what is on the
 * PATH), in a temporary folder. Nothing is kept over the loss of power, which no test has.
 *
 * PostgreSQL does not run as root: there it runs as `nobody`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostgresServer {
  /** `postgres://labelsmith@127.0.0.1:PORT/postgres` */
  readonly url: string;
  readonly pid: number;
  /** As a machine that goes and comes back: connections are cut without a word of goodbye. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const NOBODY = 65_534;

/** The folder of PostgreSQL's programs, or why there is none. */
export function postgresPrograms(): { readonly folder: string } | { readonly missing: string } {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ];
  const folder = folders.find((one) => existsSync(join(one, 'initdb')) && existsSync(join(one, 'postgres')));
  return folder === undefined ? { missing: 'PostgreSQL is not installed (apt-get install postgresql)' } : { folder };
}

/** @param own settings in place of those of tests, `name=value` */
export async function startPostgres(own: readonly string[] = []): Promise<PostgresServer> {
  const found = postgresPrograms();
  if ('missing' in found) throw new Error(found.missing);
  const folder = mkdtempSync('/tmp/labelsmith-postgres-');
  const isRoot = process.getuid?.() === 0;
  const who = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const data = join(folder, 'data');
  const program = (name: string) => join(found.folder, name);
  const how = ['-D', data, '-U', 'labelsmith', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  execFileSync(program('initdb'), how, { ...who, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const port = await freePort();
  const settings = [
    'fsync=off',
    'max_connections=100',
    'shared_buffers=32MB',
    `unix_socket_directories=${folder}`,
    ...own,
  ];
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), ...settings.flatMap((one) => ['-c', one])];
  const begin = () => spawn(program('postgres'), args, { ...who, cwd: folder, stdio: 'ignore' });
  const url = `postgres://labelsmith@127.0.0.1:${port}/postgres`;
  let server = begin();
  await answering(url, server);
  const end = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = new Promise((resolve) => server.once('exit', resolve));
    // "Immediate shutdown": no farewell, and recovery from the log at the next start.
    server.kill('SIGQUIT');
    await exited;
  };
  // A test that fails leaves no server behind.
  const onExit = () => server.kill('SIGQUIT');
  process.once('exit', onExit);
  return {
    url,
    get pid() {
      return server.pid ?? 0;
    },
    async restart() {
      await end();
      server = begin();
      await answering(url, server);
    },
    async stop() {
      process.off('exit', onExit);
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answering(url: string, server: ChildProcess): Promise<void> {
  const { default: pg } = await import('pg');
  for (;;) {
    const client = new pg.Client(url);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}`, { cause: error });
      await sleep(30);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
