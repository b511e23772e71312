/**
 * A segmenter: a crop around a box in, the mask of what is in the box out.
 *
 * Needs no model file: see `segmenter/grab-cut.ts`. Works in threads of its own, since a box takes some tens of
 * milliseconds. Guarantees: a mask depends on nothing but its crop and the settings (`key`), however many threads there
 * are; it lies within its box and is never empty.
 */
import { availableParallelism } from 'node:os';
import type { MaskRle } from '../core/dataset.ts';
import { WorkerPool } from '../threads/worker-pool.ts';
import type { BoxCrop } from './segmenter/crop.ts';
import type { SegmentSettings } from './segmenter/grab-cut.ts';

export interface Segmenter {
  /** Says what made a mask: the method and all its settings. */
  readonly key: string;
  /** What a crop is: `longest` pixels on its longer side, with `margin` of the box's longer side around the box. */
  readonly input: SegmenterInput;
  /** Crops that are worth having under way at once. */
  readonly capacity: number;
  /** The crop's pixels may be reused when the promise settles. */
  segment(crop: BoxCrop): Promise<MaskRle>;
  close(): Promise<void>;
}

export interface SegmenterInput {
  readonly longest: number;
  /** Crops smaller than `longest` are enlarged by at most this much. */
  readonly mostEnlarged: number;
  readonly margin: number;
}

/** 128 pixels take twice the time and find outlines no better: colours of neighbours differ as little as before. */
const INPUT: SegmenterInput = { longest: 96, mostEnlarged: 2, margin: 0.25 };

const SETTINGS: SegmentSettings = {
  components: 3,
  rounds: 3,
  smoothness: 3,
  placeWeight: 1,
  mostEvidence: 3,
};

/** Raised when the method changes in what no setting says. */
const VERSION = 1;
/** `segmenter.worker.ts` in a checkout, `.js` when compiled. */
const WORKER = new URL(
  `./segmenter/segmenter.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);

export interface SegmenterOptions {
  /** Worker threads (default: the cores this process may use). */
  readonly threads?: number;
}

export function openSegmenter({ threads = availableParallelism() }: SegmenterOptions = {}): Segmenter {
  const pool = new WorkerPool<BoxCrop, MaskRle>({
    worker: WORKER,
    threads,
    data: SETTINGS,
    what: 'a segmenting thread',
  });
  return {
    key: keyOf(),
    input: INPUT,
    capacity: pool.capacity,
    segment: (crop) =>
      pool.run(() => {
        // A copy, since memory that libvips allocated cannot be handed over.
        const pixels = crop.pixels.slice();
        return { request: { ...crop, pixels }, transfer: [pixels.buffer] };
      }),
    close: () => pool.close(),
  };
}

function keyOf(): string {
  const settings = Object.entries({ ...INPUT, ...SETTINGS }).map(([name, value]) => `${name}=${value}`);
  return `grabcut@${VERSION}+${settings.join(',')}`;
}
