/** Vectors among the blobs of a workspace, for machines that share no folder. */

import { LabelsmithError } from '../errors.ts';
import { VECTORS_FOLDER, vectorStoreOver } from '../vectors/arrow-store.ts';
import type { VectorStore } from '../vectors/vector-store.ts';
import type { BlobStore } from './blob-store.ts';

/** @param place where the blobs are, for messages */
export function blobVectorStore(blobs: BlobStore, place: string): VectorStore {
  return vectorStoreOver({
    place,
    async read(file) {
      const bytes = await blobs.get(file);
      if (bytes === undefined) throw new LabelsmithError('NOT_FOUND', 'there is no such blob');
      return bytes;
    },
    // The name is the content's, but a blob may have been damaged since.
    async write(file, bytes) {
      const stood = (await blobs.stat(file))?.byteSize === bytes.length ? await blobs.get(file) : undefined;
      if (stood === undefined || !Buffer.from(bytes).equals(stood)) await blobs.put(file, bytes);
    },
    async remove(files) {
      for (const file of files) await blobs.delete(file);
    },
    async removeOthers(named) {
      let deleted = 0;
      for await (const { key } of blobs.list(`${VECTORS_FOLDER}/`)) {
        if (named.has(key) || !key.endsWith('.arrow')) continue;
        await blobs.delete(key);
        deleted++;
      }
      return deleted;
    },
  });
}
