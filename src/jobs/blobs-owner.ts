/**
 * Blobs belong to one workspace: each deletes what its own record does not name any more, which two of them in one place would do
 * to each other. A mark among the blobs says whose they are; who comes to another's place is refused.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { BlobStore } from '../blobs/blob-store.ts';
import { LabelsmithError } from '../errors.ts';
import type { HousekeepingStore } from '../store/store.ts';

/** The mark. It is of the place, and no copy takes it along. */
export const OWNER_BLOB = 'workspace.json';

/** What the workspace is known by there, however it is reached. */
export const ID_SETTING = 'workspace-id';

const OWNER = z.object({ id: z.string(), workspace: z.string() });

export interface OwnedPlace {
  readonly store: Pick<HousekeepingStore, 'getSetting' | 'swapSetting'>;
  readonly blobs: Pick<BlobStore, 'get' | 'put'>;
  /** Of the blobs. */
  readonly address: string;
  /** Of the workspace. */
  readonly name: string;
}

/**
 * Marks blobs that are nobody's as the workspace's. What was put there before there were marks is of whoever comes first.
 *
 * @throws LabelsmithError REFUSED where they are another's
 */
export async function ownBlobs({ store, blobs, address, name }: OwnedPlace): Promise<void> {
  const id = await idOf(store);
  if ((await blobs.get(OWNER_BLOB)) === undefined) {
    await blobs.put(OWNER_BLOB, Buffer.from(`${JSON.stringify({ id, workspace: name })}\n`));
  }
  // Of two that come at once the last one's mark stands.
  const bytes = await blobs.get(OWNER_BLOB);
  if (ownerIn(bytes)?.id !== id) throw refusal(bytes, { address, name });
}

/**
 * For a workspace that is not there yet: nothing is made that could not have its blobs.
 *
 * @throws LabelsmithError REFUSED where they are another's
 */
export async function refuseOwned({ blobs, ...place }: Omit<OwnedPlace, 'store'>): Promise<void> {
  const bytes = await blobs.get(OWNER_BLOB);
  if (bytes !== undefined) throw refusal(bytes, place);
}

function refusal(
  bytes: Uint8Array | undefined,
  { address, name }: Pick<OwnedPlace, 'address' | 'name'>,
): LabelsmithError {
  const owner = ownerIn(bytes);
  const whose = owner ? `the workspace ${owner.workspace}` : 'something else, of which the mark cannot be read';
  return new LabelsmithError('REFUSED', `${address} has the blobs of ${whose}, and would lose them to ${name}.`, {
    hint: `Give each workspace a place of its own with --blobs, beside that one and not within. Where that one is no more, delete ${address}/${OWNER_BLOB}.`,
  });
}

async function idOf(store: OwnedPlace['store']): Promise<string> {
  for (;;) {
    const known = await store.getSetting(ID_SETTING);
    if (known !== undefined) return known;
    await store.swapSetting(ID_SETTING, undefined, randomUUID());
  }
}

function ownerIn(bytes: Uint8Array | undefined): z.infer<typeof OWNER> | undefined {
  try {
    return OWNER.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
  } catch {
    return undefined;
  }
}
