/**
 * A classifier for processes that have not its file: while its shards are done elsewhere, it is among the blobs of the workspace, under
 * the digest that its key ends with. So a worker needs neither the file nor the path that it had.
 */
import type { BlobStore } from '../../blobs/blob-store.ts';
import { holdingBlobs, readHeld } from '../../blobs/held-blobs.ts';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import type { PoolOptions } from '../../onnx/pool.ts';
import { type Classifier, openClassifierOf } from './classifier-file.ts';

const FOLDER = 'classifiers/';

/** What names the bytes in a key such as `class@0123456789abcdef`. */
function digestIn(key: string): string {
  return key.slice(key.lastIndexOf('@') + 1);
}

const blobOf = (key: string) => `${FOLDER}${digestIn(key)}.onnx`;

/** Does `work` while other processes find the classifier by its key. */
export async function holdingClassifier<T>(
  blobs: BlobStore,
  { key, path }: Pick<Classifier, 'key' | 'path'>,
  work: () => Promise<T>,
): Promise<T> {
  const put = async () => {
    const bytes = await readWholeFile(path);
    if (isOf(bytes, key)) return blobs.put(blobOf(key), bytes);
    throw new LabelsmithError('BUSY', `the classifier ${path} was written anew since this began`, {
      hint: 'Run it again: it goes on with the new one.',
    });
  };
  const held = holdingBlobs(blobs, (hold) => hold(blobOf(key), put).then(work));
  // What cannot be deleted takes room and harms nobody.
  return held.finally(() => blobs.delete(blobOf(key)).catch(() => {}));
}

/** Opens the classifier of this key. @param waitMs for whoever holds it to put it again, default half a minute */
export async function openHeldClassifier(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  options: Pick<PoolOptions, 'threads' | 'device'>,
  waitMs?: number,
): Promise<Classifier> {
  const read = async () => {
    const found = await blobs.get(blobOf(key));
    return found !== undefined && isOf(found, key) ? found : undefined;
  };
  const bytes = await readHeld(read, waitMs);
  if (bytes !== undefined) return openClassifierOf(bytes, blobOf(key), options);
  throw new LabelsmithError('NOT_FOUND', `the classifier ${key} is not among the blobs of the workspace`, {
    hint: 'The command that labels with it has ended, or its blobs are elsewhere. Run it again.',
  });
}

function isOf(bytes: Uint8Array, key: string): boolean {
  return sha256Hex(bytes).startsWith(digestIn(key));
}
