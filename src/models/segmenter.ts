/**
 * A segmenter: a crop around a box in, the mask of what is in the box out.
 *
 * Needs no model file: see `segmenter/grab-cut.ts`. Works in threads of its own, since a box takes some tens of
 * milliseconds. Guarantees: a mask depends on nothing but its crop and the settings (`key`), however many threads there
 * are; it lies within its box and is never empty.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { MaskRle } from '../core/dataset.ts';
import { LabelsmithError, messageOf } from '../errors.ts';
import type { BoxCrop } from './segmenter/crop.ts';
import type { SegmentSettings } from './segmenter/grab-cut.ts';
import type { SegmentReply, SegmentRequest } from './segmenter/segmenter.worker.ts';

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
/** One under way, one ready. */
const QUEUE_PER_WORKER = 2;

/** `segmenter.worker.ts` in a checkout, `.js` when compiled. */
const WORKER = new URL(
  `./segmenter/segmenter.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);

interface Waiting {
  readonly crop: BoxCrop;
  readonly resolve: (mask: MaskRle) => void;
  readonly reject: (error: LabelsmithError) => void;
}

interface Lane {
  readonly worker: Worker;
  readonly pending: Map<number, Waiting>;
}

export interface SegmenterOptions {
  /** Worker threads (default: the cores this process may use). */
  readonly threads?: number;
}

export function openSegmenter({ threads = availableParallelism() }: SegmenterOptions = {}): Segmenter {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new LabelsmithError('USAGE', `threads must be a whole number of at least 1, not ${threads}`);
  }
  const lanes: Lane[] = Array.from({ length: threads }, startLane);
  const waiting: Waiting[] = [];
  let broken: LabelsmithError | undefined;
  let nextId = 0;

  function startLane(): Lane {
    // Node hands `--input-type` on to threads and then refuses it there; all else is best inherited.
    const evaluated = process.execArgv.some((flag) => flag.startsWith('--input-type'));
    const lane: Lane = { worker: new Worker(WORKER, evaluated ? { execArgv: [] } : {}), pending: new Map() };
    // A thread with nothing to do does not keep the process alive.
    lane.worker.unref();
    lane.worker.on('message', (reply: SegmentReply) => settle(lane, reply));
    lane.worker.on('messageerror', (error) => breakDown(messageOf(error)));
    lane.worker.on('error', (error) => breakDown(messageOf(error)));
    lane.worker.on('exit', (code) => breakDown(`exit code ${code}`));
    return lane;
  }

  /** A thread ends only by running out of memory or when the segmenter is closed: what it had cannot be answered. */
  function breakDown(reason: string): void {
    broken ??= new LabelsmithError('UNSUPPORTED', `a segmenting thread ended (${reason})`, {
      hint: 'If it ran out of memory, use fewer --threads.',
    });
    const lost = [...lanes.flatMap(({ pending }) => [...pending.values()]), ...waiting.splice(0)];
    for (const { pending } of lanes) pending.clear();
    for (const { reject } of lost) reject(broken);
  }

  function settle(lane: Lane, reply: SegmentReply): void {
    const request = lane.pending.get(reply.id);
    if (!request) return;
    lane.pending.delete(reply.id);
    if (lane.pending.size === 0) lane.worker.unref();
    if (reply.kind === 'done') request.resolve(reply.mask);
    else {
      const hint = 'This is a bug in labelsmith: please report it with this message.';
      request.reject(new LabelsmithError('UNSUPPORTED', reply.message, { hint }));
    }
    dispatch();
  }

  function dispatch(): void {
    while (waiting.length > 0) {
      const lane = lanes.reduce((least, one) => (one.pending.size < least.pending.size ? one : least));
      if (lane.pending.size >= QUEUE_PER_WORKER) return;
      const request = waiting.shift() as Waiting;
      const id = nextId++;
      lane.pending.set(id, request);
      if (lane.pending.size === 1) lane.worker.ref();
      // A copy, since memory that libvips allocated cannot be handed over.
      const pixels = request.crop.pixels.slice();
      const message: SegmentRequest = { id, crop: { ...request.crop, pixels }, settings: SETTINGS };
      lane.worker.postMessage(message, [pixels.buffer]);
    }
  }

  return {
    key: keyOf(),
    input: INPUT,
    capacity: threads * QUEUE_PER_WORKER,
    segment: (crop) =>
      new Promise((resolve, reject) => {
        if (broken) reject(broken);
        else {
          waiting.push({ crop, resolve, reject });
          dispatch();
        }
      }),
    async close() {
      broken ??= new LabelsmithError('INTERRUPTED', 'the segmenter is closed');
      breakDown('closed');
      await Promise.all(lanes.map(({ worker }) => worker.terminate()));
    },
  };
}

function keyOf(): string {
  const settings = Object.entries({ ...INPUT, ...SETTINGS }).map(([name, value]) => `${name}=${value}`);
  return `grabcut@${VERSION}+${settings.join(',')}`;
}
