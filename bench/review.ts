/**
 * The review app: how long it keeps a person waiting over 100,000 and 1,000,000 made items, and how fast a simulated person turns
 * `caltech-30` into right labels with it. `bench/review.ts IMAGES…` takes other numbers of items, and leaves the person out;
 * `bench/review.ts person` is the person alone.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { DATA } from '../test/cli.ts';
import { startReviewIn } from '../test/review-app.ts';
import { inScratch, rounded } from './process.ts';
import { callerOf, copyUnnamed, person } from './review/person.ts';
import { speed } from './review/speed.ts';

const SET = 'caltech-30';

const SIZES = [100_000, 1_000_000];

export async function run(): Promise<unknown> {
  return { waiting: await waitingOf(SIZES), [SET]: await personsWork() };
}

function personsWork() {
  return inScratch(async (dir) => {
    // As users have it: tests take the quickest embedder.
    const review = await startReviewIn(dir, { LABELSMITH_QUALITY: 'balanced' });
    try {
      const pile = join(dir, 'pile');
      return await person(callerOf(review), pile, copyUnnamed(join(DATA, SET), pile));
    } finally {
      await review.end('SIGTERM');
    }
  });
}

async function waitingOf(sizes: readonly number[]): Promise<Record<string, unknown>> {
  const waiting: Record<string, unknown> = {};
  for (const images of sizes) {
    const measured = await inScratch((dir) => speed(dir, images));
    // Others at work on the machine are waited for too.
    waiting[images] = { load: rounded(loadavg()[0], 1), ...measured };
    process.stderr.write(`${JSON.stringify(waiting[images])}\n`);
  }
  return waiting;
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const result = args.length === 0 ? run() : args[0] === 'person' ? personsWork() : waitingOf(args.map(Number));
  process.stdout.write(`${JSON.stringify(await result, null, 2)}\n`);
}
