/** What of a folder is where, as its ledger has it. */
import { resolve } from 'node:path';
import type { PushTarget } from '../../store/push-ledger.ts';
import { existingPushLedger } from '../../store/sqlite/push-ledger.ts';

/** Nothing where nothing of the folder was ever pushed. */
export async function pushedTargets(folder: string): Promise<readonly PushTarget[]> {
  const ledger = existingPushLedger(resolve(folder));
  try {
    return ledger?.targets() ?? [];
  } finally {
    ledger?.close();
  }
}
