/**
 * HEIC and HEIF files, decoded in threads of their own. Threads start when there is something to decode and end when there
 * has been nothing for a while, so that a run without such files never loads the decoder.
 *
 * Resident: a thread's WebAssembly memory, about 5 bytes a pixel of the image it decodes (60 MB for 12 million), and the
 * decoded image, 3 bytes a pixel, until its caller is done with it.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { endsWithinBox } from '../iso-boxes.ts';
import { BadImageError } from '../reasons.ts';
import type { HeifReply, HeifRequest } from './heif.worker.ts';
import type { HeifFailure, HeifImage } from './libheif.ts';

const WORKER = new URL(`./heif.worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
const MOST_THREADS = Math.min(4, availableParallelism());
/** Keeps a thread between the images of a shard, and gives its memory back soon after the last one. */
const IDLE_MS = 2_000;
/** A minute is sixty times what 12 million pixels take; a file that takes longer was made to. */
const LIMIT_MS = 60_000;

interface Job {
  readonly request: HeifRequest;
  readonly resolve: (image: HeifImage) => void;
  readonly reject: (error: Error) => void;
}

/** One thread; it keeps the process alive only while it is busy. */
class HeifThread {
  readonly #worker = new Worker(WORKER);
  readonly #onFree: (thread: HeifThread, usable: boolean) => void;
  #job: Job | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `onFree` is called after each job, and when the thread has ended for whatever reason. */
  constructor(onFree: (thread: HeifThread, usable: boolean) => void) {
    this.#onFree = onFree;
    this.#worker.on('message', (reply: HeifReply) => {
      const job = this.#take();
      if (reply.kind === 'image') job?.resolve(reply.image);
      else job?.reject(badHeif(reply.failure, job.request.maxPixels));
      this.#free(!reply.spent);
    });
    this.#worker.on('error', (error) => this.#fail(messageOf(error)));
    this.#worker.on('exit', () => this.#fail('the decoder ended'));
  }

  run(job: Job): void {
    clearTimeout(this.#timer);
    this.#job = job;
    this.#timer = setTimeout(() => this.#fail('it takes too long'), LIMIT_MS);
    this.#worker.ref();
    this.#worker.postMessage(job.request);
  }

  #take(): Job | undefined {
    clearTimeout(this.#timer);
    const job = this.#job;
    this.#job = undefined;
    return job;
  }

  #fail(message: string): void {
    const job = this.#take();
    job?.reject(badHeif({ reason: 'corrupt', message }, job.request.maxPixels));
    this.#free(false);
  }

  #free(usable: boolean): void {
    this.#worker.unref();
    if (usable) this.#timer = setTimeout(() => this.#free(false), IDLE_MS).unref();
    else void this.#worker.terminate();
    this.#onFree(this, usable);
  }
}

const waiting: Job[] = [];
const all = new Set<HeifThread>();
const idle = new Set<HeifThread>();

/** The primary image of a HEIF file; fails with `BadImageError`. */
export function decodeHeif(bytes: Uint8Array, maxPixels: number): Promise<HeifImage> {
  if (endsWithinBox(bytes)) {
    return Promise.reject(new BadImageError('truncated', 'the file ends before the image does'));
  }
  return new Promise((resolve, reject) => {
    waiting.push({ request: { bytes, maxPixels }, resolve, reject });
    startWaiting();
  });
}

function startWaiting(): void {
  while (waiting.length > 0 && (idle.size > 0 || all.size < MOST_THREADS)) {
    const thread = idle.values().next().value ?? new HeifThread(onFree);
    all.add(thread);
    idle.delete(thread);
    thread.run(waiting.shift() as Job);
  }
}

function onFree(thread: HeifThread, usable: boolean): void {
  if (usable) {
    idle.add(thread);
  } else {
    idle.delete(thread);
    all.delete(thread);
  }
  startWaiting();
}

function badHeif({ reason, message }: HeifFailure, maxPixels: number): BadImageError {
  const said = message === '' ? '' : ` (${message})`;
  switch (reason) {
    case 'too-large':
      return new BadImageError(
        'too-large',
        `the image has more than ${Math.round(maxPixels / 1e6)} million pixels, the limit`,
      );
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
