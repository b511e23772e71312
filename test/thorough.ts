/**
 * How much a test does: a part of it in every run, all of it in the slow ones, which set this and run the same files again
 * (test/slow/thorough.test.ts).
 */
export function thorough<T>(everyRun: T, slow: T): T {
  return process.env.LABELSMITH_TEST_THOROUGH ? slow : everyRun;
}

/** The reason to skip a test that only the slow runs have; false there. */
export const inSlowRuns: string | false = thorough<string | false>('`npm run test:slow` has it', false);

/** How many workers do what one machine does, to the same bytes. */
export const WORKER_COUNTS: readonly number[] = thorough([2], [1, 2, 4]);
