import { spawn } from 'node:child_process';
import { z } from 'zod';
import { startReview } from '../../server/serve.ts';
import { command } from '../command.ts';
import { port } from '../text-values.ts';
import { option } from '../values.ts';
import { withWorkspace } from '../workspace.ts';

const DEFAULT_PORT = 4477;

export const review = command({
  name: 'review',
  summary: 'the app in the browser: look, name, confirm, correct, teach',
  details:
    'The first line it prints is its address, with a token of this start: nothing is served without it, and nothing but\n' +
    'this machine reaches it. Another address needs --host and --password. It uses no network and sends nothing anywhere;\n' +
    'there are no analytics of any kind. Other commands may run beside it. Ctrl-C ends it; every label is on disk by then.',
  options: {
    port: option(
      '--port <n>',
      `the port, 0 for any that is free (default: ${DEFAULT_PORT}, or a free one)`,
      port().optional(),
    ),
    host: option(
      '--host <address>',
      'the address to listen at, such as 0.0.0.0; needs --password',
      z.string().optional(),
    ),
    password: option('--password <text>', 'asked for in the browser, in place of the token', z.string().optional()),
    open: {
      ...option('--open', 'open the browser (default on a terminal)', z.boolean().optional()),
      denial: { flags: '--no-open', description: 'do not open the browser' },
    },
  },
  examples: [
    ['labelsmith review', 'in an empty folder too: it begins with choosing a folder of images'],
    ['labelsmith review --port 8080 --no-open', 'prints the address to open'],
  ],
  run({ options, ...context }) {
    const { global, output, signal } = context;
    const { port, host, password, open } = options;
    return withWorkspace(
      context,
      async (workspace) => {
        const { seed, threads } = global;
        const start = (at: number) =>
          startReview(workspace, { port: at, host, password, seed, threads, onLog: (line) => output.warn(line) });
        const server = await (port === undefined ? start(DEFAULT_PORT).catch(() => start(0)) : start(port));
        output.line(server.url);
        output.document({ url: server.url });
        output.note('Ctrl-C ends it.');
        if (open ?? process.stdout.isTTY) openBrowser(server.url);
        await new Promise<void>((ended) => {
          if (signal.aborted) ended();
          signal.addEventListener('abort', () => ended());
        });
        await server.close();
        return 0;
      },
      { create: true },
    );
  },
});

/** Where there is no browser, the printed address is what remains. */
function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const browser = spawn(program, args, { stdio: 'ignore', detached: true });
  browser.on('error', () => {});
  browser.unref();
}
