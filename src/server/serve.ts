/**
 * `review`: the server on a port of this machine. Nothing but this machine reaches it unless a host and a password were given.
 * One workspace a server; whoever opened it closes it after the server.
 */
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { newAccess } from './access.ts';
import { createApp } from './app.ts';
import { contextOf } from './context.ts';
import { createJobs } from './jobs.ts';
import { pageFolder, readPageFiles } from './page-files.ts';

export interface ReviewOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Default `127.0.0.1`. Another one needs a password. */
  readonly host?: string;
  readonly password?: string;
  readonly seed: number;
  readonly threads: number;
  /** Where the built page is. Default: beside this code. */
  readonly page?: string;
  /** Told of what went wrong with a request, and of connections that were turned away. */
  readonly onLog?: (line: string) => void;
  readonly limits?: Partial<ConnectionLimits>;
  /** What stages are run by (see `JobsOptions`). */
  readonly jobModule?: URL;
}

/** What one who does not finish a request, or comes too often, may hold. */
export interface ConnectionLimits {
  /** Connections at once; more are turned away (default 2048). */
  readonly connections: number;
  /** A connection whose headers are not there by then is closed (default 10,000). */
  readonly headersMs: number;
  /** A request that is not whole by then is answered with 408 (default 60,000). */
  readonly requestMs: number;
}

export interface ReviewServer {
  /** What to open: with the token, where no password is asked for. */
  readonly url: string;
  readonly token: string;
  readonly port: number;
  close(): Promise<void>;
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1']);
const MIN_PASSWORD_LENGTH = 8;
const LIMITS: ConnectionLimits = { connections: 2048, headersMs: 10_000, requestMs: 60_000 };
/** Connections turned away are told of together, so often. */
const TOLD_EVERY_MS = 1000;

export async function startReview(workspace: Workspace, options: ReviewOptions): Promise<ReviewServer> {
  const { host = '127.0.0.1', password, seed, threads, onLog = () => {} } = options;
  const local = LOOPBACK.has(host);
  if (!local && (password ?? '').length < MIN_PASSWORD_LENGTH) {
    throw new LabelsmithError('USAGE', `--host ${host} lets other machines in, so it needs a password.`, {
      hint: `Give --password with ${MIN_PASSWORD_LENGTH} characters or more. What is sent is not encrypted: put TLS before it.`,
    });
  }
  const access = newAccess(password);
  const jobs = createJobs({ dir: workspace.location, seed, threads, module: options.jobModule });
  const page = readPageFiles(options.page ?? fileURLToPath(pageFolder()));
  const context = contextOf(workspace, { jobs, local, threads });
  const app = createApp({ context, access, page, log: onLog });
  const limits = { ...LIMITS, ...options.limits };
  const { server, port } = await listen(app.fetch, { hostname: host, port: options.port, limits, onLog });
  for (const name of [host, ...(local ? ['127.0.0.1', 'localhost', '[::1]'] : [])]) access.hosts.add(`${name}:${port}`);
  return {
    url: `http://${host}:${port}/${password === undefined ? `?token=${access.token}` : ''}`,
    token: access.token,
    port,
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
      await Promise.all([jobs.close(), context.searches.close()]);
    },
  };
}

interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly limits: ConnectionLimits;
  readonly onLog: (line: string) => void;
}

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { hostname, port, limits: { connections, headersMs, requestMs }, onLog }: ListenOptions,
) {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // Who is late is looked for several times within what is allowed.
  const connectionsCheckingInterval = Math.min(headersMs, requestMs) / 4;
  const serverOptions = { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval };
  const server = serve({ fetch, hostname, port, serverOptions }, (info) => resolve(info.port)) as Server;
  server.maxConnections = connections;
  // Node waits for the first byte for ever.
  server.on('connection', (socket) => socket.setTimeout(headersMs));
  server.on('request', ({ socket }) => socket.setTimeout(0));
  let [turnedAway, toldMs] = [0, 0];
  server.on('drop', () => {
    turnedAway++;
    if (Date.now() - toldMs < TOLD_EVERY_MS) return;
    onLog(`${turnedAway} connections were turned away: ${connections} are open.`);
    [turnedAway, toldMs] = [0, Date.now()];
  });
  server.once('error', (cause) => {
    const hint = 'Name another port with --port, or 0 for any that is free.';
    reject(
      new LabelsmithError('BUSY', `Port ${port} of ${hostname} cannot be had (${systemCodeOf(cause)}).`, {
        hint,
        cause,
      }),
    );
  });
  return { server, port: await promise };
}
