/**
 * HEIC and HEIF files, decoded in threads of their own. Threads start when there is something to decode and end when there
 * has been nothing for a while, so that a run without such files never loads the decoder.
 *
 * Resident: a thread's WebAssembly memory, about 5 bytes a pixel of the image it decodes (60 MB for 12 million), and the
 * decoded image, 3 bytes a pixel, until its caller is done with it.
 */
import { availableParallelism } from 'node:os';
import { ThreadEnded, WorkerPool } from '../../threads/worker-pool.ts';
import { endsWithinBox } from '../iso-boxes.ts';
import { BadImageError, tooManyPixels } from '../reasons.ts';
import type { HeifReply, HeifRequest } from './heif.worker.ts';
import type { HeifFailure, HeifImage } from './libheif.ts';

const WORKER = new URL(`./heif.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
const MAX_THREADS = Math.min(4, availableParallelism());
/** Keeps a thread between the images of a shard, and gives its memory back soon after the last one. */
const IDLE_MS = 2_000;
/** A minute is sixty times what 12 million pixels take; a file that takes longer was made to. */
const TIMEOUT_MS = 60_000;

let threads: WorkerPool<HeifRequest, HeifReply> | undefined;

function decoders(): WorkerPool<HeifRequest, HeifReply> {
  threads ??= new WorkerPool<HeifRequest, HeifReply>({
    worker: WORKER,
    threads: MAX_THREADS,
    queuePerThread: 1,
    idleMs: IDLE_MS,
    timeoutMs: TIMEOUT_MS,
    isSpent: ({ spent }) => spent,
    what: 'a HEIC decoder',
  });
  return threads;
}

/** The primary image of a HEIF file; fails with `BadImageError`. */
export async function decodeHeif(bytes: Uint8Array, maxPixels: number): Promise<HeifImage> {
  if (endsWithinBox(bytes)) throw new BadImageError('truncated', 'the file ends before the image does');
  const reply = await decoders()
    .run(() => ({ request: { bytes, maxPixels } }))
    .catch((error: unknown) => {
      if (!(error instanceof ThreadEnded)) throw error;
      throw badHeif({ reason: 'corrupt', message: error.reason }, maxPixels);
    });
  if (reply.kind === 'image') return reply.image;
  throw badHeif(reply.failure, maxPixels);
}

function badHeif({ reason, message }: HeifFailure, maxPixels: number): BadImageError {
  const said = message === '' ? '' : ` (${message})`;
  switch (reason) {
    case 'too-large':
      return tooManyPixels(maxPixels);
    case 'memory':
      return new BadImageError('too-large', 'the image takes more memory to decode than the HEIC decoder has');
    case 'truncated':
      return new BadImageError('truncated', `the file ends before the image does${said}`);
    case 'unsupported':
      return new BadImageError(
        'unsupported',
        `the HEIF file holds what is not decoded${said}; convert it to JPEG and add it again`,
      );
    case 'corrupt':
      return new BadImageError('corrupt', `the image is damaged and cannot be decoded${said}`);
    default:
      throw new Error(`Unknown reason ${reason satisfies never}`);
  }
}
