/** What a camera gives, and what is asked of it; who reads which kind of camera is in `open-camera.ts`. */

export interface Frame {
  /** A whole JPEG. */
  readonly bytes: Buffer;
  readonly capturedAtMs: number;
}

/** Which frames are wanted. Those of several rules have to satisfy all of them. */
export interface FrameRule {
  /** No frame sooner than so long after the one before, in ms. */
  readonly everyMs?: number;
  /** Only frames that differ from the one before by more than this, 0 to 1 (ffmpeg's `scene`). */
  readonly scene?: number;
  /** Only frames whose perceptual hash differs from that of the last kept one by more bits than this, 0 to 64. */
  readonly changedBits?: number;
}

export interface FramesOptions {
  readonly rule: FrameRule;
  /** Without a sign of life for so long, the camera has failed, in ms. */
  readonly silenceMs: number;
  /** A folder ends when all that is in it was given. */
  readonly untilIdle?: boolean;
  readonly signal: AbortSignal;
  /** Told of frames that were broken when they came. */
  readonly onBroken: () => void;
}

/**
 * Frames of one connection, as they come. Ends where the source ends (a file); fails with `NETWORK` when the camera is
 * silent, ends the connection, or gives another size of picture in between, and with other codes for what no further
 * attempt changes.
 */
export type Frames = AsyncIterable<Frame>;

/** How much sooner a frame may come and still count: cameras are never exact. In ms. */
export function toleranceMs(everyMs: number): number {
  return Math.min(0.1 * everyMs, 20);
}
