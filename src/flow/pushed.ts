/** What of a flow is at its targets, as the ledgers of the folders that it pushes say. */

import { isTargetAddress } from '../sources/targets.ts';
import { fileUriOf } from '../sources/uri.ts';
import { pushedTargets } from '../stages/push/where.ts';
import type { PushTarget } from '../store/push-ledger.ts';
import type { FlowState } from './flow-state.ts';

export interface FlowTargetState {
  readonly name: string;
  readonly address: string;
  /** Of each place at it. */
  readonly pushed: readonly PushTarget[];
}

export async function pushedByFlow({
  targets,
  folders,
}: Pick<FlowState, 'targets' | 'folders'>): Promise<readonly FlowTargetState[]> {
  const known = (await Promise.all(folders.map((folder) => pushedTargets(folder).catch(() => [])))).flat();
  return targets.map(({ name, address }) => {
    const root = address.replace(/\/+$/, '');
    const place = isTargetAddress(root) ? root : fileUriOf(Buffer.from(root));
    const isHere = ({ target }: PushTarget) => target === place || target.startsWith(`${place}/`);
    return { name, address, pushed: known.filter(isHere) };
  });
}
