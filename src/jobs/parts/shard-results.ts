/**
 * What came of shards, among the blobs of the workspace, until it is written down: the manifest of work that is spread
 * without a queue.
 *
 * A result is filed under what decides it: stage, settings, seed, model, versions, and the shard itself. So whoever does a
 * shard twice writes the same blob twice, a process that starts late finds what was done, and results of other models or
 * versions are never mixed in. What is damaged is not there.
 */
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from '../../blobs/described-blob.ts';
import { sha256Hex } from '../../core/ids.ts';

/** Decides the results of all shards of a run. */
export interface ResultsOf {
  readonly stage: string;
  readonly settings: unknown;
  readonly seed: number;
  readonly fingerprint: string;
  readonly version: string;
}

export interface DoneShard {
  readonly items: number;
  /** What `process` of the same stage gave, cloned. */
  readonly value: unknown;
}

export interface ShardResults {
  /** Names the work, for the claim on writing it down. */
  readonly name: string;
  nameOf(shard: unknown): string;
  /** Names of shards that are done. */
  done(): Promise<Set<string>>;
  get(shard: string): Promise<DoneShard | undefined>;
  put(shard: string, done: DoneShard): Promise<void>;
  drop(shard: string): Promise<void>;
}

const HEADER = z.object({ items: z.number(), sha256: z.string() });
const KIND: BlobKind<z.infer<typeof HEADER>> = { version: 1, header: HEADER };
const ENDING = '.shard';

/** @param root where they are, ends with `/`: those of different purposes are apart */
export function shardResults(blobs: BlobStore, of: ResultsOf, root = 'parts/'): ShardResults {
  const { stage, settings, seed, fingerprint, version } = of;
  const name = `${stage}-${hashOf([stage, settings, seed, fingerprint, version])}`;
  const folder = `${root}${name}/`;
  const keyOf = (shard: string) => `${folder}${shard}${ENDING}`;
  return {
    name,
    nameOf: hashOf,

    async done() {
      const names = new Set<string>();
      for await (const { key } of blobs.list(folder)) names.add(key.slice(folder.length, -ENDING.length));
      return names;
    },

    async get(shard) {
      const found = await getDescribed(blobs, keyOf(shard), KIND);
      if (found === undefined || sha256Hex(found.bytes) !== found.header.sha256) return undefined;
      return { items: found.header.items, value: deserialize(found.bytes) };
    },

    put(shard, { items, value }) {
      const bytes = serialize(value);
      return putDescribed(blobs, keyOf(shard), KIND, { header: { items, sha256: sha256Hex(bytes) }, bytes });
    },

    drop: (shard) => blobs.delete(keyOf(shard)),
  };
}

/** 128 bits: of a million shards no two share a name. */
function hashOf(value: unknown): string {
  return sha256Hex(JSON.stringify(value)).slice(0, 32);
}
