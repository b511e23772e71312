/** Fleets of 10 to 1,000 workers that detect, each undisturbed and in trouble: how much they do, and where they stop scaling. */
import { rounded } from '../process.ts';
import { type Simulated, type Simulation, simulate } from './simulate.ts';

export const IMAGES_A_SHARD = 1000;
const FLEETS = [10, 30, 100, 300, 1000];
const SHARDS_A_WORKER = 8;
/** A fleet that reaches less of what its workers would do alone has stopped scaling. */
const SCALES = 0.8;

/** What can go wrong with a fleet, each by itself. */
const WEATHER: Readonly<Record<string, Partial<Simulation>>> = {
  undisturbed: {},
  'one machine in twenty is three times as slow, each is taken away once an hour': {
    slowMachines: 0.05,
    lifeMs: 3_600_000,
  },
  'the database is four times as slow, and answers nobody for a minute of every ten': {
    databaseFactor: 4,
    stall: { everyMs: 600_000, forMs: 60_000 },
  },
};

export type Constants = Pick<Simulation, 'shardMs' | 'resultMs' | 'commitMs' | 'queueMs'>;

/** Workers of one core that detect. */
export async function fleets(constants: Constants) {
  const found: Record<string, unknown> = {};
  for (const [weather, more] of Object.entries(WEATHER)) {
    const rows: ({ workers: number } & Simulated)[] = [];
    for (const workers of FLEETS) {
      process.stderr.write(`${workers} workers, ${weather}\n`);
      const plan = {
        workers,
        shards: SHARDS_A_WORKER * workers,
        imagesAShard: IMAGES_A_SHARD,
        seed: 1,
        slowMachines: 0,
        lifeMs: Number.POSITIVE_INFINITY,
        databaseFactor: 1,
      };
      const simulated = await simulate({ ...plan, ...constants, ...more });
      process.stderr.write(`  ${JSON.stringify(simulated)}\n`);
      rows.push({ workers, ...simulated });
    }
    found[weather] = {
      fleets: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, n]) => [name, rounded(n, 3)]))),
      stopsScaling: stop(rows, constants, more.databaseFactor ?? 1),
    };
  }
  return found;
}

/** The first fleet that does less than it could, and what it waits for. */
function stop(rows: readonly ({ workers: number } & Simulated)[], { commitMs, resultMs }: Constants, factor: number) {
  const first = rows.find(({ efficiency }) => efficiency < SCALES);
  if (first === undefined) return 'not up to the largest of these fleets';
  const most = Math.round((IMAGES_A_SHARD * 1000) / ((commitMs + resultMs) * factor));
  const why =
    first.lockBusy > 0.8
      ? `commits are one after the other: ${most} images a second at most`
      : first.queueBusy > 0.8
        ? 'the database has no time for more calls of the queue'
        : 'workers are slow or away, or wait for the database';
  return `at ${first.workers} workers: ${why}`;
}
