/** How cameras are, and what `capture` did, in words. */
import { formatBytes } from '../../core/byte-size.ts';
import { formatCount, plural } from '../../core/count-text.ts';
import type { CaptureResult } from '../../stages/capture/capture.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../words.ts';

type Cameras = CaptureResult['cameras'];

/** `gate live 1,204 written; yard waiting 40 written, 3 dropped, 2 reconnects`. */
export function healthLine(cameras: Cameras): string {
  return cameras
    .map((camera) =>
      [`${oneLine(camera.name)} ${camera.state} ${formatCount(camera.written)} written`, ...losses(camera)].join(', '),
    )
    .join('; ');
}

function losses({ dropped, broken, reconnects }: Cameras[number]): string[] {
  const parts: string[] = [];
  if (dropped > 0) parts.push(`${formatCount(dropped)} dropped`);
  if (broken > 0) parts.push(`${formatCount(broken)} broken`);
  if (reconnects > 0) parts.push(plural(reconnects, 'reconnect'));
  return parts;
}

/** Nothing came of it, and why is known. */
export function gaveNothing({ frames, lastError }: Cameras[number]): boolean {
  return frames === 0 && lastError !== null;
}

export function printCaptured(output: Output, { to, cameras, deleted, held, interrupted }: CaptureResult): void {
  for (const camera of cameras) {
    const { name, source, frames, written, bytesWritten, unchanged } = camera;
    const parts = [
      `${formatCount(written)} of ${plural(frames, 'frame')} written (${formatBytes(bytesWritten)})`,
      ...(unchanged > 0 ? [`${formatCount(unchanged)} unchanged`] : []),
      ...losses(camera),
    ];
    output.summary(`${oneLine(name)} (${oneLine(source)}): ${parts.join(', ')}.`);
  }
  if (!interrupted) {
    for (const { name, lastError } of cameras.filter(gaveNothing)) {
      output.warn(`${oneLine(name)} gave no frame: ${oneLine(lastError ?? '')}`);
    }
  }
  output.summary(`Frames are in ${oneLine(to)}.`);
  if (deleted > 0) output.summary(`Made room: ${plural(deleted, 'frame')} that are pushed or added.`);
  if (held > 0) output.warn(`${plural(held, 'frame')} over the limit of --keep stay: they are nowhere else yet.`);
  if (interrupted) output.warn('Interrupted; the same command goes on.');
}
