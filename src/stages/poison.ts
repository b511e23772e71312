/** What becomes of a shard of images that no process gets over: halves, down to the one image, whose paths are put aside. */
import type { Poison } from '../jobs/stage.ts';
import type { QuarantineRow, Store } from '../store/store.ts';

interface ImageShard {
  readonly images: readonly { readonly id: string }[];
}

interface Recorded {
  readonly store: Pick<Store, 'pathsOfImages' | 'putQuarantine'>;
}

export function poisonOfImages<Shard extends ImageShard>(stage: string): Poison<Recorded, Shard> {
  return {
    halves(shard) {
      const parts = halvesOf(shard.images);
      return (
        parts && [
          { ...shard, images: parts[0] },
          { ...shard, images: parts[1] },
        ]
      );
    },
    async putAside({ store }, { images }, reason) {
      const rows: QuarantineRow[] = [];
      for (const paths of (await store.pathsOfImages(images.map(({ id }) => id))).values()) {
        for (const { path, sourceRoot, missing } of paths) {
          if (!missing) rows.push({ path, sourceRoot, ...poisonous(stage, reason) });
        }
      }
      await store.putQuarantine(rows);
      return { quarantined: images.length };
    },
  };
}

/** The rest of a row of quarantine. */
export function poisonous(stage: string, reason: string) {
  const message = `No process got over it: ${reason}`;
  return { reason: 'poison', message, byteSize: 0, modifiedAtMs: 0, stage };
}

/** Undefined for a list of one. */
export function halvesOf<T>(list: readonly T[]): readonly [T[], T[]] | undefined {
  if (list.length < 2) return undefined;
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)];
}
