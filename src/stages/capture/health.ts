/** How cameras are, for supervisors: a file that is written anew, or an address of this machine that answers 503 when not all is well. */
import { createServer } from 'node:http';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { writeFileAtomically } from '../../files/atomic.ts';
import type { CameraHealth } from './run-camera.ts';

export interface Health {
  readonly ok: boolean;
  readonly at: string;
  readonly cameras: readonly CameraHealth[];
}

export interface HealthReport {
  close(): Promise<void>;
}

const WRITE_EVERY_MS = 1000;

/** @param where a port of this machine, or a file */
export async function reportHealth(where: string, health: () => Health): Promise<HealthReport> {
  return /^\d+$/.test(where) ? serve(Number(where), health) : writeAgain(where, health);
}

function serve(port: number, health: () => Health): Promise<HealthReport> {
  const server = createServer((_, response) => {
    const now = health();
    response.writeHead(now.ok ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(now)}\n`);
  });
  return new Promise((done, fail) => {
    server.once('error', (cause) => {
      fail(
        new LabelsmithError('REFUSED', `health cannot be told on port ${port}: ${messageOf(cause)}`, {
          hint: 'Choose another port, or a file.',
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', () => {
      const close = () => {
        server.closeAllConnections();
        return new Promise<void>((closed) => server.close(() => closed()));
      };
      done({ close });
    });
  });
}

async function writeAgain(path: string, health: () => Health): Promise<HealthReport> {
  const write = () => writeFileAtomically(path, `${JSON.stringify(health())}\n`);
  await write();
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    // A full disk is told elsewhere.
    writing = writing.then(write).catch(() => {});
  }, WRITE_EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      await writing;
      await write().catch(() => {});
    },
  };
}
