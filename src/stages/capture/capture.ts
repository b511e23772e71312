/**
 * `capture`: frames of cameras into a folder, several cameras at once, for as long as it is wanted. Memory does not grow
 * with time: a camera holds the frame that comes and the one that waits.
 */
import { resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { liesIn } from '../../files/identity.ts';
import { makeFolder } from '../../files/make-folder.ts';
import type { CameraSpec } from './camera-spec.ts';
import type { FrameRule } from './frames.ts';
import { type Health, reportHealth } from './health.ts';
import { type KeepLimits, Rotation, type RotationOptions } from './rotation.ts';
import { type CameraHealth, healthOf, runCamera } from './run-camera.ts';

/** Which frames of a camera are wanted, and for how long. */
export interface CameraRule {
  readonly rule: FrameRule;
  /** Ends the camera when so many frames are written. */
  readonly count?: number;
  /** Ends it after so long, in ms. */
  readonly forMs?: number;
}

/** What is not said of a camera is as {@link CaptureOptions} has it. */
export type CapturedCamera = CameraSpec & Partial<CameraRule>;

export interface CaptureOptions extends CameraRule {
  readonly to: string;
  /** Waits at a folder that has fewer frames than `count` (default: where a time is given, or `keepTrying`). */
  readonly follow?: boolean;
  /** A camera that gives nothing for so long has failed, in ms (default 10,000). */
  readonly silenceMs?: number;
  /** Connects again to cameras that refuse from the start too; without it these end the capture. */
  readonly keepTrying?: boolean;
  /** Waits before a camera is connected again, in ms (default 1,000 to 60,000). */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  readonly keep?: KeepLimits & Pick<RotationOptions, 'areSafe'>;
  /** Time between two turns of the rotation, in ms (default 10,000). */
  readonly rotateEveryMs?: number;
  /** A port of this machine or a file. */
  readonly health?: string;
  readonly signal?: AbortSignal;
  readonly onNotice?: (text: string) => void;
  /** Told now and then how all cameras are. */
  readonly onHealth?: (cameras: readonly CameraHealth[]) => void;
}

export interface CaptureResult {
  readonly to: string;
  readonly cameras: readonly CameraHealth[];
  /** Made room for newer ones. */
  readonly deleted: number;
  /** At the end over a limit, and kept since they are nowhere else. */
  readonly held: number;
  readonly interrupted: boolean;
}

const HEALTH_EVERY_MS = 2000;

/** Frames written into a folder that is watched would be frames of it again, without end. */
async function refuseOwnFrames(cameras: readonly CameraSpec[], to: string): Promise<void> {
  for (const { kind, address } of cameras) {
    if (kind !== 'folder' || !(await liesIn(to, address))) continue;
    throw new LabelsmithError(
      'REFUSED',
      `the frames would be written to ${to}, into the folder that they are taken from`,
      {
        hint: `Name a folder outside of ${address} with --to.`,
      },
    );
  }
}

export async function capture(cameras: readonly CapturedCamera[], options: CaptureOptions): Promise<CaptureResult> {
  const { signal, onNotice = () => {}, onHealth = () => {}, backoff = { baseMs: 1000, maxMs: 60_000 } } = options;
  const to = resolve(options.to);
  await refuseOwnFrames(cameras, to);
  await makeFolder(to);
  const health = cameras.map(healthOf);
  const stop = new AbortController();
  const until = (forMs: number | undefined) =>
    AbortSignal.any([
      stop.signal,
      ...(signal === undefined ? [] : [signal]),
      ...(forMs === undefined ? [] : [AbortSignal.timeout(forMs)]),
    ]);
  const report = options.health === undefined ? undefined : await reportHealth(options.health, () => healthNow(health));
  const rotating = new Rotating(to, options, onNotice);
  const timer = setInterval(() => onHealth(health), HEALTH_EVERY_MS);
  try {
    const running = cameras.map(async (camera, i) => {
      const { rule = options.rule, count = options.count, forMs = options.forMs } = camera;
      try {
        await runCamera(camera, health[i]!, {
          to,
          rule,
          silenceMs: options.silenceMs ?? 10_000,
          count,
          backoff,
          keepTrying: options.keepTrying,
          follow: options.follow ?? (forMs !== undefined || options.keepTrying === true),
          signal: until(forMs),
          onNotice,
          onWritten: ({ byteSize }) => rotating.onWritten(byteSize),
        });
      } catch (error) {
        stop.abort();
        throw error;
      }
    });
    const ended = await Promise.allSettled(running);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  } finally {
    clearInterval(timer);
    await rotating.stop();
    await report?.close();
  }
  return { to, cameras: health, ...rotating.counts, interrupted: signal?.aborted ?? false };
}

function healthNow(cameras: readonly CameraHealth[]): Health {
  return { ok: cameras.every(({ state }) => state === 'live'), at: new Date().toISOString(), cameras };
}

/** The rotation's turns, one after the other. */
class Rotating {
  readonly counts = { deleted: 0, held: 0 };
  readonly #rotation: Rotation | undefined;
  readonly #onNotice: (text: string) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #turning = Promise.resolve();

  constructor(to: string, { keep, rotateEveryMs = 10_000 }: CaptureOptions, onNotice: (text: string) => void) {
    this.#onNotice = onNotice;
    if (keep === undefined) return;
    this.#rotation = new Rotation({ to, limits: keep, areSafe: keep.areSafe });
    this.#timer = setInterval(() => this.#turn(), rotateEveryMs);
  }

  onWritten(byteSize: number): void {
    this.#rotation?.onWritten(byteSize);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#turn();
    await this.#turning;
  }

  #turn(): void {
    const rotation = this.#rotation;
    if (rotation === undefined) return;
    this.#turning = this.#turning.then(async () => {
      const { deleted, held } = await rotation.turn();
      if (held > 0 && this.counts.held === 0) {
        this.#onNotice(
          `${held} frames are over the limit of --keep and stay: they are neither pushed nor in the workspace yet`,
        );
      }
      this.counts.deleted += deleted;
      this.counts.held = held;
    });
    this.#turning.catch(() => {});
  }
}
