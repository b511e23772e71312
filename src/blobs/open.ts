/** Which texts mean which blob store: `s3://BUCKET/PREFIX`, else a folder, which every machine must find at the same path. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { objectAddress, uriOf } from '../sources/cloud/address.ts';
import { s3Store } from '../sources/cloud/s3-store.ts';
import type { BlobStore } from './blob-store.ts';
import { folderBlobs } from './folder-blobs.ts';
import { objectBlobs } from './object-blobs.ts';

export interface OpenBlobs {
  readonly blobs: BlobStore;
  /** As every machine may name it. */
  readonly address: string;
}

export function openBlobs(text: string): OpenBlobs {
  const address = objectAddress(text, 's3');
  if (address !== undefined) return { blobs: objectBlobs(() => s3Store(address)), address: uriOf(address) };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    throw new LabelsmithError('UNSUPPORTED', `Blobs are kept in a folder or at s3://BUCKET/PREFIX, not at ${text}`);
  }
  const folder = resolve(text);
  return { blobs: folderBlobs(folder), address: folder };
}
