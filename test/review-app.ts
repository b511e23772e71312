/** The review app as a person has it: the built command line, its printed address, and a browser. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';
import { startCli } from './cli.ts';

const CHROMIUM = process.env.LABELSMITH_CHROMIUM ?? '/usr/bin/chromium';

/** The reason to skip what needs a browser, or false. */
export const withoutBrowser: string | false = existsSync(CHROMIUM)
  ? false
  : `no browser at ${CHROMIUM}; LABELSMITH_CHROMIUM names another`;

export function launchBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

export interface RunningReview {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it with this signal, and waits. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/**
 * @param dir the folder that it is started in
 * @param env in place of that of tests
 * @param port default: any that is free
 */
export async function startReviewIn(
  dir: string,
  env: Readonly<Record<string, string>> = {},
  port = '0',
): Promise<RunningReview> {
  const child = startCli(['review', '--no-open', '--port', port], { cwd: dir, env });
  const closed = new Promise<void>((done) => child.on('close', () => done()));
  if (!child.stdout) throw new Error('it prints nowhere');
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((done, fail) => {
    lines.once('line', done);
    child.once('close', (code) => fail(new Error(`review ended with ${code}`)));
  });
  return {
    url,
    process: child,
    async end(signal) {
      child.kill(signal);
      await closed;
    },
  };
}

/** Complaints of the page while `work` is done: none are expected. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What axe-core finds wrong with the page as it stands: rules with the elements that break them. */
export async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))`,
  );
}
