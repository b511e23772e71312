/**
 * The review app: how long it keeps a person waiting over 100,000 made items, and how fast a simulated person turns `caltech-30`
 * into right labels with it. `bench/review.ts IMAGES` takes another number of items.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { DATA } from '../test/cli.ts';
import { startReviewIn } from '../test/review-app.ts';
import { inScratch, rounded } from './process.ts';
import { callerOf, copyUnnamed, person } from './review/person.ts';
import { speed } from './review/speed.ts';

const SET = 'caltech-30';

export async function run(images = 100_000): Promise<unknown> {
  const waiting = await inScratch((dir) => speed(dir, images));
  process.stderr.write(`${JSON.stringify(waiting)}\n`);
  const work = await inScratch(async (dir) => {
    // As users have it: tests take the quickest embedder.
    const review = await startReviewIn(dir, { LABELSMITH_QUALITY: 'balanced' });
    try {
      const pile = join(dir, 'pile');
      return await person(callerOf(review), pile, copyUnnamed(join(DATA, SET), pile));
    } finally {
      await review.end('SIGTERM');
    }
  });
  // Others at work on the machine are waited for too.
  return { load: rounded(loadavg()[0], 1), waiting, [SET]: work };
}

if (import.meta.main) {
  const images = process.argv[2];
  process.stdout.write(`${JSON.stringify(await run(images === undefined ? undefined : Number(images)), null, 2)}\n`);
}
