/**
 * Frames over HTTP, as the camera made them: a stream of JPEGs (`multipart/x-mixed-replace`, which every browser shows), or
 * one picture that is asked for again and again. What is neither is video, and ffmpeg's to read; so are cameras that ask for
 * digest authentication, and rules that have to look into the pictures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isInterruption, LabelsmithError, messageOf } from '../../errors.ts';
import type { CameraSpec } from './camera-spec.ts';
import { withoutSecrets } from './camera-spec.ts';
import { ffmpegFrames } from './ffmpeg.ts';
import { type Frame, type FramesOptions, toleranceMs } from './frames.ts';
import { jpegFrames } from './jpeg-frames.ts';
import { Silence } from './silence.ts';

/** A picture is asked for so often where no interval is given, in ms. */
const DEFAULT_POLL_MS = 1000;

export async function* httpFrames(camera: CameraSpec, options: FramesOptions): AsyncGenerator<Frame> {
  if (options.rule.scene !== undefined) return yield* ffmpegFrames(camera, options);
  const stop = new AbortController();
  let isSilent = false;
  const silence = new Silence(options.silenceMs, () => {
    isSilent = true;
    stop.abort();
  });
  const signal = AbortSignal.any([stop.signal, options.signal]);
  try {
    const response = await ask(camera, signal);
    const type = response.headers.get('content-type') ?? '';
    if (response.status === 401 && /^digest/i.test(response.headers.get('www-authenticate') ?? '')) {
      await response.body?.cancel();
      silence.stop();
      return yield* ffmpegFrames(camera, options);
    }
    requireGood(response, camera);
    if (/^multipart\//i.test(type)) yield* spaced(streamed(response, silence, options), options);
    else if (/^image\//i.test(type)) yield* polled(response, camera, { silence, signal, options });
    else {
      await response.body?.cancel();
      silence.stop();
      yield* ffmpegFrames(camera, options);
    }
  } catch (error) {
    if (options.signal.aborted) return;
    if (isSilent) throw networkError(camera, `no frame for ${options.silenceMs / 1000} s`);
    if (error instanceof LabelsmithError) throw error;
    throw networkError(camera, causeOf(error));
  } finally {
    silence.stop();
    stop.abort();
  }
}

async function* streamed(response: Response, silence: Silence, { onBroken }: FramesOptions): AsyncGenerator<Frame> {
  const counts = { broken: 0 };
  for await (const bytes of jpegFrames(bodyOf(response), counts)) {
    silence.heard();
    for (; counts.broken > 0; counts.broken--) onBroken();
    yield { bytes, capturedAtMs: Date.now() };
  }
  throw new Error('the camera ended the connection');
}

/** Those that are due; the clock of the machine may jump, so another one says when. */
async function* spaced(frames: AsyncIterable<Frame>, { rule }: FramesOptions): AsyncGenerator<Frame> {
  const { everyMs = 0 } = rule;
  let dueAtMs = Number.NEGATIVE_INFINITY;
  for await (const frame of frames) {
    const nowMs = performance.now();
    if (nowMs < dueAtMs - toleranceMs(everyMs)) continue;
    // In step with the time that was due, unless that is long ago.
    dueAtMs = (dueAtMs < nowMs - everyMs ? nowMs : dueAtMs) + everyMs;
    yield frame;
  }
}

async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body;
}

interface Polling {
  readonly silence: Silence;
  readonly signal: AbortSignal;
  readonly options: FramesOptions;
}

async function* polled(
  first: Response,
  camera: CameraSpec,
  { silence, signal, options }: Polling,
): AsyncGenerator<Frame> {
  const everyMs = options.rule.everyMs ?? DEFAULT_POLL_MS;
  let dueAtMs = performance.now();
  for (let response = first; ; response = await ask(camera, signal)) {
    requireGood(response, camera);
    const counts = { broken: 0 };
    const frames: Buffer[] = [];
    for await (const bytes of jpegFrames(bodyOf(response), counts)) frames.push(bytes);
    const bytes = frames.at(-1);
    if (bytes === undefined) options.onBroken();
    else {
      silence.heard();
      yield { bytes, capturedAtMs: Date.now() };
    }
    dueAtMs = Math.max(dueAtMs + everyMs, performance.now());
    for (let leftMs = everyMs; leftMs > 0; leftMs = dueAtMs - performance.now()) {
      // A wait that was asked for is not the camera's silence.
      silence.heard();
      await sleep(Math.min(leftMs, 1000, Math.max(0, dueAtMs - performance.now())), undefined, { signal });
      if (performance.now() >= dueAtMs) break;
    }
  }
}

async function ask({ address }: CameraSpec, signal: AbortSignal): Promise<Response> {
  const url = new URL(address);
  const { username, password } = url;
  [url.username, url.password] = ['', ''];
  const account = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return fetch(url, { signal, headers: username === '' ? {} : { authorization: `Basic ${account}` } });
}

function requireGood({ status }: Response, camera: CameraSpec): void {
  if (status === 401 || status === 403) {
    throw new LabelsmithError('REFUSED', `${camera.shown}: the camera does not take this user and password`, {
      hint: 'Write them into the address: http://USER:PASSWORD@HOST/…; they are neither shown nor kept.',
    });
  }
  if (status >= 400) throw networkError(camera, `the camera answers ${status}`);
}

function networkError(camera: CameraSpec, reason: string): LabelsmithError {
  return new LabelsmithError('NETWORK', `${camera.shown}: ${withoutSecrets(reason, camera)}`, {
    hint: 'Look at the address, the cable, and whether the camera takes no more connections.',
  });
}

/** What `fetch` failed for is its error's cause. */
function causeOf(error: unknown): string {
  if (isInterruption(error)) return 'interrupted';
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
