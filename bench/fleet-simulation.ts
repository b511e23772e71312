/**
 * The simulation of `fleet` alone, with constants that were measured on two cores at a load of 4: the same figures on every
 * machine, those of `docs/scale.md`.
 */
import { fleets } from './fleet/fleets.ts';

const CONSTANTS = {
  /** Of 1,000 images of `detect` on one core, which did 9 a second. */
  shardMs: 111_000,
  commitMs: 346,
  resultMs: 5.5,
  queueMs: 2,
};

export async function run(): Promise<unknown> {
  return { constants: CONSTANTS, simulated: await fleets(CONSTANTS) };
}
