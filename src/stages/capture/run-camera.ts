/**
 * One camera: connected, read, and connected again for as long as it is wanted. Silence, the end of the connection and a
 * change of the picture's size are failures, followed by waits that grow and are random. A full disk is none: frames are
 * dropped and counted until there is room.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../../core/retry.ts';
import { isInterruption, LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';
import type { CameraSpec } from './camera-spec.ts';
import { ChangeDetector } from './changed.ts';
import { FrameFiles, type WrittenFrame } from './frame-files.ts';
import { FrameSlot } from './frame-slot.ts';
import type { Frame, FrameRule } from './frames.ts';
import { framesOf } from './open-camera.ts';

export interface CameraHealth {
  readonly name: string;
  readonly source: string;
  state: 'connecting' | 'live' | 'waiting' | 'ended';
  /** Frames that came, those of broken pictures left out. */
  frames: number;
  written: number;
  bytesWritten: number;
  /** Made way for newer ones since the disk was slow, or found no room. */
  dropped: number;
  /** Left out by the rule that looks into pictures. */
  unchanged: number;
  broken: number;
  reconnects: number;
  lastFrameAtMs: number | null;
  lastError: string | null;
}

export interface CameraOptions {
  readonly to: string;
  readonly rule: FrameRule;
  readonly silenceMs: number;
  /** Ends it when so many are written. */
  readonly count?: number;
  /** A folder with fewer frames than `count` is waited at for more. */
  readonly follow?: boolean;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** Connects again to what refuses from the start too: in a service, that may be mended meanwhile. */
  readonly keepTrying?: boolean;
  readonly signal: AbortSignal;
  readonly onWritten: (file: WrittenFrame) => void;
  /** Told of what is wrong, once each time it begins. */
  readonly onNotice: (text: string) => void;
}

export function healthOf({ name, shown }: CameraSpec): CameraHealth {
  return {
    name,
    source: shown,
    state: 'connecting',
    frames: 0,
    written: 0,
    bytesWritten: 0,
    dropped: 0,
    unchanged: 0,
    broken: 0,
    reconnects: 0,
    lastFrameAtMs: null,
    lastError: null,
  };
}

export async function runCamera(camera: CameraSpec, health: CameraHealth, options: CameraOptions): Promise<void> {
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, options.signal]);
  const keeper = new Keeper(camera, health, options, await FrameFiles.in(options.to, camera.name), () =>
    enough.abort(),
  );
  const slot = new FrameSlot<Frame>();
  let failure: { readonly error: unknown } | undefined;
  const writing = (camera.isLive ? keeper.empty(slot) : Promise.resolve()).catch((error: unknown) => {
    failure = { error };
    enough.abort();
  });
  try {
    await connectAndRead(camera, health, { ...options, signal }, async (frame) => {
      if (!camera.isLive) return keeper.keep(frame);
      const before = slot.dropped;
      slot.offer(frame);
      health.dropped += slot.dropped - before;
    });
  } finally {
    slot.close();
    await writing;
    health.state = 'ended';
  }
  if (failure !== undefined) throw failure.error;
  const { count, signal: outer, onNotice } = options;
  if (camera.kind === 'folder' && count !== undefined && health.written < count && !outer.aborted)
    onNotice(
      `${camera.name}: ${health.written} of the ${count} frames that were asked for: there are no more in the folder that the rules let through (--follow waits for more)`,
    );
}

async function connectAndRead(
  camera: CameraSpec,
  health: CameraHealth,
  { rule, silenceMs, count, follow = false, signal, backoff, keepTrying = false, onNotice }: CameraOptions,
  onFrame: (frame: Frame) => Promise<void>,
): Promise<void> {
  const onBroken = () => {
    health.broken++;
  };
  const untilIdle = count !== undefined && !follow;
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const frame of framesOf(camera, { rule, silenceMs, untilIdle, signal, onBroken })) {
        failures = 0;
        if (health.state !== 'live' && health.lastError !== null) onNotice(`${camera.name}: frames come again`);
        [health.state, health.lastError, health.lastFrameAtMs] = ['live', null, frame.capturedAtMs];
        health.frames++;
        await onFrame(frame);
        if (signal.aborted) return;
      }
      return;
    } catch (error) {
      if (signal.aborted && isInterruption(error)) return;
      const isPassing = error instanceof LabelsmithError && error.code === 'NETWORK';
      // What a camera refuses after it worked (it starts anew) may pass as well.
      const mayPass = error instanceof LabelsmithError && (keepTrying || health.frames > 0);
      if (!isPassing && !mayPass) throw error;
      failures++;
      health.reconnects++;
      [health.state, health.lastError] = ['waiting', messageOf(error)];
      const waitMs = backoffMs(backoff, failures, 0.5 + Math.random() / 2);
      if (failures === 1) onNotice(`${messageOf(error)}; it is connected again`);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

const WRITES_AT_ONCE = 4;

/** Writes the frames that are wanted. */
class Keeper {
  readonly #camera: CameraSpec;
  readonly #health: CameraHealth;
  readonly #options: CameraOptions;
  readonly #files: FrameFiles;
  readonly #onEnough: () => void;
  readonly #changed: ChangeDetector | undefined;
  #isFull = false;
  /** Written, or being written. */
  #begun = 0;

  constructor(
    camera: CameraSpec,
    health: CameraHealth,
    options: CameraOptions,
    files: FrameFiles,
    onEnough: () => void,
  ) {
    [this.#camera, this.#health, this.#options] = [camera, health, options];
    [this.#files, this.#onEnough] = [files, onEnough];
    const { changedBits } = options.rule;
    this.#changed = changedBits === undefined ? undefined : new ChangeDetector(changedBits);
  }

  /** Flushing takes long and goes well side by side, so some frames are written at once. */
  async empty(slot: FrameSlot<Frame>): Promise<void> {
    const writing = new Set<Promise<void>>();
    for (let frame = await slot.take(); frame !== undefined; frame = await slot.take()) {
      if (!(await this.#isWanted(frame))) continue;
      const one = this.#write(frame).finally(() => writing.delete(one));
      writing.add(one);
      if (writing.size >= WRITES_AT_ONCE) await Promise.race(writing);
    }
    await Promise.all(writing);
  }

  async keep(frame: Frame): Promise<void> {
    if (await this.#isWanted(frame)) await this.#write(frame);
  }

  async #write(frame: Frame): Promise<void> {
    const { count = Number.POSITIVE_INFINITY, onWritten } = this.#options;
    const health = this.#health;
    if (this.#begun >= count) return;
    this.#begun++;
    try {
      const file = await this.#files.write(frame);
      health.written++;
      health.bytesWritten += file.byteSize;
      this.#isFull = false;
      onWritten(file);
      if (health.written >= count) this.#onEnough();
    } catch (error) {
      this.#begun--;
      this.#noRoom(error);
    }
  }

  async #isWanted({ bytes }: Frame): Promise<boolean> {
    if (this.#changed === undefined) return true;
    try {
      if (await this.#changed.isChanged(bytes)) return true;
      this.#health.unchanged++;
    } catch (error) {
      if (!(error instanceof LabelsmithError)) throw error;
      this.#health.broken++;
    }
    return false;
  }

  #noRoom(error: unknown): void {
    const code = systemCodeOf(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    this.#health.dropped++;
    this.#health.lastError = 'the disk is full';
    if (!this.#isFull) {
      this.#options.onNotice(
        `${this.#camera.name}: the disk is full; frames are dropped until there is room (--keep makes some)`,
      );
    }
    this.#isFull = true;
  }
}
