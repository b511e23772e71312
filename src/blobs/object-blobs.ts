/** Blobs in object storage: an object each, its key behind a prefix. A store that does not answer is asked again for a while. */
import { buffer } from 'node:stream/consumers';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { listPatiently, patiently } from '../sources/cloud/object-reader.ts';
import type { ObjectStore } from '../sources/cloud/object-store.ts';
import { type BlobStore, checkKey, checkPrefix } from './blob-store.ts';

/** @param open called once, when the first blob is asked for */
export function objectBlobs(open: () => Promise<ObjectStore>): BlobStore {
  let opened: Promise<ObjectStore> | undefined;
  const objects = () => (opened ??= open());
  return {
    async put(key, bytes) {
      checkKey(key);
      const store = await objects();
      const put = { sha256: sha256Hex(bytes), condition: { kind: 'any' } } as const;
      const done = await patiently(() => store.put(key, bytes, put));
      if (done === 'not-met') throw new LabelsmithError('NETWORK', `${store.uri} refused ${key} under no condition`);
    },

    async get(key) {
      checkKey(key);
      const store = await objects();
      return patiently(async () => {
        try {
          return await buffer(await store.get(key));
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      });
    },

    async stat(key) {
      checkKey(key);
      const store = await objects();
      const found = await patiently(() => store.head(key));
      return found && { key, byteSize: found.byteSize };
    },

    async *list(prefix = '') {
      checkPrefix(prefix);
      const store = await objects();
      for await (const { key, byteSize } of listPatiently(store, prefix)) yield { key, byteSize };
    },

    async delete(key) {
      checkKey(key);
      const store = await objects();
      await patiently(() => store.delete(key));
    },
  };
}

/** The object and not the bucket, whose absence is told. */
function isMissing(error: unknown): boolean {
  return error instanceof LabelsmithError && error.code === 'NOT_FOUND' && error.details.reason === 'missing';
}
