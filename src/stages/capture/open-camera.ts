/** Who reads which kind of camera. */
import { isInterruption } from '../../errors.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { watchFolder } from '../../sources/watched-folder.ts';
import type { CameraSpec } from './camera-spec.ts';
import { ffmpegFrames } from './ffmpeg.ts';
import type { Frame, Frames, FramesOptions } from './frames.ts';
import { httpFrames } from './http-frames.ts';

export function framesOf(camera: CameraSpec, options: FramesOptions): Frames {
  switch (camera.kind) {
    case 'rtsp':
    case 'device':
    case 'pattern':
    case 'file':
      return ffmpegFrames(camera, options);
    case 'http':
      return httpFrames(camera, options);
    case 'folder':
      return folderFrames(camera, options);
    default:
      return camera.kind satisfies never;
  }
}

/** The JPEGs that a network camera writes into a folder, from now on and those that are there. */
async function* folderFrames(
  camera: CameraSpec,
  { signal, rule, untilIdle, onBroken }: FramesOptions,
): AsyncGenerator<Frame> {
  const feed = await watchFolder(camera.address, { cwd: '/', settleMs: 500, lookEveryMs: 250 });
  let dueAtMs = Number.NEGATIVE_INFINITY;
  for await (const item of feed.follow({ signal, untilIdle })) {
    if (item.kind === 'problem') continue;
    const { modifiedAtMs } = item.entry;
    if (modifiedAtMs < dueAtMs) continue;
    try {
      const bytes = Buffer.from(await item.entry.read(DEFAULT_MAX_BYTES));
      if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
        onBroken();
        continue;
      }
      dueAtMs = modifiedAtMs + (rule.everyMs ?? 0);
      yield { bytes, capturedAtMs: modifiedAtMs };
    } catch (error) {
      if (isInterruption(error)) return;
      onBroken();
    }
  }
}
