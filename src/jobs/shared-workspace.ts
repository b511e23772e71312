/** The parts of a workspace in PostgreSQL, with blobs that all machines share. Loaded where there is one. */
import { blobVectorStore } from '../blobs/blob-vectors.ts';
import { type OpenBlobs, openBlobs } from '../blobs/open.ts';
import { LabelsmithError } from '../errors.ts';
import { openStore } from '../store/open.ts';
import { isNowhere } from '../store/postgres/errors.ts';
import type { HousekeepingStore } from '../store/store.ts';
import { ownBlobs, refuseOwned } from './blobs-owner.ts';
import { BLOBS_SETTING, type WorkspacePlace } from './place.ts';
import type { Workspace } from './stage.ts';

export async function openSharedParts(
  place: WorkspacePlace,
  { create, blobsAt, actor }: { readonly create: boolean; readonly blobsAt?: string; readonly actor?: string },
): Promise<Pick<Workspace, 'store' | 'vectors' | 'blobs'>> {
  const given = blobsAt === undefined ? undefined : openBlobs(blobsAt);
  const store = await openStore(place.location, { create: false, actor }).catch(async (error: unknown) => {
    if (!create || !isNowhere(error)) throw error;
    // Nothing is made that would not know where its files go, or may not put them there.
    if (given === undefined) throw noBlobs(place.name);
    await refuseOwned({ ...given, name: place.name });
    return openStore(place.location, { create: true, actor });
  });
  try {
    const { blobs, address } = await sharedBlobs(store, place, given);
    return { store, blobs, vectors: blobVectorStore(blobs, address) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The blobs of a shared workspace: named when it is made, and known to it from then on. */
async function sharedBlobs(
  store: Pick<HousekeepingStore, 'getSetting' | 'putSetting' | 'swapSetting'>,
  { name }: WorkspacePlace,
  given: OpenBlobs | undefined,
): Promise<OpenBlobs> {
  const known = await store.getSetting(BLOBS_SETTING);
  if (known === undefined) {
    if (given === undefined) throw noBlobs(name);
    await ownBlobs({ ...given, store, name });
    await store.putSetting(BLOBS_SETTING, given.address);
    return given;
  }
  if (given !== undefined && given.address !== known) {
    throw new LabelsmithError('USAGE', `The workspace ${name} has its blobs at ${known}, not at ${given.address}.`, {
      hint: 'Leave --blobs away. To move it: labelsmith workspace copy, to a workspace that is not there yet.',
    });
  }
  const own = given ?? openBlobs(known);
  await ownBlobs({ ...own, store, name });
  return own;
}

function noBlobs(name: string): LabelsmithError {
  return new LabelsmithError('USAGE', `The workspace ${name} does not know yet where its vectors and other files go.`, {
    hint: 'Say it once with --blobs s3://BUCKET/PREFIX, or a folder that every machine finds at the same path.',
  });
}
