/** Objects and conditions in Google's words. */
import { z } from 'zod';
import type { PutCondition } from '../sink.ts';
import type { StoredObject } from './object-store.ts';

/** Generation 0 is: nothing is there. */
export function conditions(condition: PutCondition): { readonly ifGenerationMatch?: number | string } {
  switch (condition.kind) {
    case 'any':
      return {};
    case 'absent':
      return { ifGenerationMatch: 0 };
    case 'version':
      // No generation is a word: a version of another store is never there.
      return { ifGenerationMatch: /^\d+$/.test(condition.version) ? condition.version : 1 };
    default:
      return condition satisfies never;
  }
}

const METADATA = z.object({
  size: z.coerce.number(),
  generation: z.coerce.string(),
  md5Hash: z.string().optional(),
  updated: z.string().optional(),
  metadata: z.object({ sha256: z.string().optional() }).optional(),
});

/** An object as the store describes it. */
export function storedObject(key: string, metadata: unknown): StoredObject {
  const { size, generation, md5Hash, updated, metadata: own } = METADATA.parse(metadata);
  return {
    key,
    byteSize: size,
    version: generation,
    ...(md5Hash === undefined ? {} : { md5: Buffer.from(md5Hash, 'base64').toString('hex') }),
    ...(own?.sha256 === undefined ? {} : { sha256: own.sha256 }),
    ...(updated === undefined ? {} : { modifiedAtMs: Date.parse(updated) }),
  };
}
