/** `--shard i/n`: this process does a part of a stage, and others the rest. */
import { LabelsmithError } from '../../errors.ts';
import type { Part } from '../../jobs/parts/parts-engine.ts';
import { part } from '../text-values.ts';
import { option } from '../values.ts';

export const PART = {
  shard: option(
    '--shard <i/n>',
    'do this part of the work, from 0, of so many; the part that ends last writes everything down (docs/fleet.md)',
    part().optional(),
  ),
};

/**
 * Which part a command does: without the option what is missing of all, where any were done.
 *
 * @param anew the option that `force` stands for
 */
export function partOf(
  { shard, force }: { readonly shard?: Part; readonly force?: boolean },
  anew = '--force',
): Part | 'rest' {
  if (shard === undefined) return 'rest';
  if (force !== true) return shard;
  // What another part has forced already cannot be told from what was there before.
  throw new LabelsmithError('USAGE', `--shard does what is missing, and ${anew} means that nothing is there.`, {
    hint: `Leave ${anew} away, or let one process or workers (--fleet) do everything again.`,
  });
}
