/** Which texts mean which blob store: an address of object storage, else a folder, which every machine must find at the same path. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { uriOf } from '../sources/cloud/address.ts';
import { addressIn, OBJECT_SCHEMES, openObjectStore } from '../sources/cloud/object-stores.ts';
import { withoutFileScheme } from '../sources/targets.ts';
import type { BlobStore } from './blob-store.ts';
import { folderBlobs } from './folder-blobs.ts';
import { objectBlobs } from './object-blobs.ts';

export interface OpenBlobs {
  readonly blobs: BlobStore;
  /** As every machine may name it. */
  readonly address: string;
}

/** @param given an address, or a folder, as a path or `file:///PATH` */
export function openBlobs(given: string): OpenBlobs {
  const text = withoutFileScheme(given);
  const address = addressIn(text);
  if (address !== undefined) return { blobs: objectBlobs(() => openObjectStore(address)), address: uriOf(address) };
  const written = OBJECT_SCHEMES.map((scheme) => scheme.written).join(' or ');
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    throw new LabelsmithError('UNSUPPORTED', `Blobs are kept in a folder, ${written}, not at ${text}`);
  }
  const folder = resolve(text);
  return { blobs: folderBlobs(folder), address: folder };
}
