/** `openStore` for the store's conformance suite: each folder stands for a schema of the server that the test has started. */
import { sha256Hex } from '../../src/core/ids.ts';
import { openStore as openAt } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { OpenStoreOptions } from '../contracts/store/fixtures.ts';

/** The server's address; processes that a test starts have it from there. */
export const SERVER = 'LABELSMITH_TEST_POSTGRES';

export function addressOf(dir: string): string {
  return `${process.env[SERVER]}?schema=t${sha256Hex(dir).slice(0, 16)}`;
}

export function openStore(dir: string, options?: OpenStoreOptions): Promise<Store> {
  return openAt(addressOf(dir), options);
}
