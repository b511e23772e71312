/** What places in a flow mean: a target by its name, a path below one, an address, or a path from the file's folder. */
import { join, resolve, sep } from 'node:path';
import { isTargetAddress } from '../sources/targets.ts';

/** A target as the flow has it. */
export interface FlowTarget {
  readonly name: string;
  /** An address, or an absolute path. */
  readonly address: string;
  readonly bytesPerSecond?: number;
  readonly parallel?: number;
}

export interface Places {
  readonly folder: string;
  readonly targets: ReadonlyMap<string, FlowTarget>;
}

/** Undefined for a word that is neither a target's name nor a path. */
export function addressOf(written: string, { folder, targets }: Places): string | undefined {
  if (isTargetAddress(written)) return written;
  if (isPath(written)) return resolve(folder, written);
  const [name = '', ...below] = written.split('/');
  const target = targets.get(name);
  if (target === undefined) return undefined;
  const rest = below.filter((part) => part !== '').join('/');
  if (rest === '') return target.address;
  return isTargetAddress(target.address) ? `${target.address.replace(/\/+$/, '')}/${rest}` : join(target.address, rest);
}

/** The target that a place lies in, for what was said of it. */
export function targetOf(written: string, { targets }: Places): FlowTarget | undefined {
  return isTargetAddress(written) || isPath(written) ? undefined : targets.get(written.split('/')[0] ?? '');
}

/** Whether an absolute path lies in the folder of a target. An address of elsewhere has nothing below it here. */
export function isBelow(path: string, target: string): boolean {
  return !isTargetAddress(target) && path.startsWith(`${target}${sep}`);
}

function isPath(written: string): boolean {
  return /^(?:\.{1,2}(?:[/\\]|$)|[/\\]|[a-z]:[/\\])/i.test(written);
}
