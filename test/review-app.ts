/** The review app as a person has it: the built command line, its printed address, and a browser. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { complaintsOf, launchBrowser } from './browser.ts';
import { startCli } from './cli.ts';

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

export interface OpenedReview {
  /** Put anew by whoever ends it and starts another one. */
  review: RunningReview;
  readonly page: Page;
  readonly complaints: string[];
  /** Ends the browser, and the review that is here then. */
  close(): Promise<void>;
}

/** The review of this folder, in a browser, at the page that its address leads to. */
export async function openReviewIn(dir: string, env: Readonly<Record<string, string>> = {}): Promise<OpenedReview> {
  await using unlessOpened = new AsyncDisposableStack();
  const browser = unlessOpened.use(await launchBrowser());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const complaints = complaintsOf(page);
  const review = await startReviewIn(dir, env);
  const opened: OpenedReview = { review, page, complaints, close: () => all.disposeAsync() };
  unlessOpened.defer(() => opened.review.end('SIGTERM'));
  await page.goto(review.url);
  const all = unlessOpened.move();
  return opened;
}

/** By the links at the top. */
export function goTo(page: Page, name: string): Promise<void> {
  return page.click(`nav[aria-label="Pages"] a:text-is("${name}")`);
}
