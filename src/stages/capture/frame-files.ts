/**
 * Frames as files: `DIR/CAMERA/2026-11-26/CAMERA-20261126T193000.123Z-000042.jpg`, times in UTC. A file appears whole. The
 * number goes on after those that are there, so names differ even where the clock was set back. Frames may be written side
 * by side.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { stamped } from './exif-stamp.ts';
import type { Frame } from './frames.ts';

const DAY = /^\d{4}-\d\d-\d\d$/;
const SEQUENCE = /-(\d+)\.jpg$/;

export interface WrittenFrame {
  readonly path: string;
  readonly byteSize: number;
}

export class FrameFiles {
  readonly #camera: string;
  readonly #folder: string;
  #next: number;

  private constructor(camera: string, folder: string, next: number) {
    [this.#camera, this.#folder, this.#next] = [camera, folder, next];
  }

  /** @param to the folder of all cameras */
  static async in(to: string, camera: string): Promise<FrameFiles> {
    const folder = join(to, camera);
    await makeFolder(folder);
    let last = 0;
    for (const day of await readdir(folder)) {
      if (!DAY.test(day)) continue;
      for (const name of await readdir(join(folder, day))) last = Math.max(last, Number(SEQUENCE.exec(name)?.[1] ?? 0));
    }
    return new FrameFiles(camera, folder, last + 1);
  }

  async write({ bytes, capturedAtMs }: Frame): Promise<WrittenFrame> {
    const sequence = this.#next++;
    const time = new Date(capturedAtMs).toISOString();
    const name = `${this.#camera}-${time.replaceAll(/[-:]/g, '')}-${String(sequence).padStart(6, '0')}.jpg`;
    const path = join(this.#folder, time.slice(0, 10), name);
    const whole = stamped(bytes, { capturedAtMs, camera: this.#camera, sequence });
    await writeFileAtomically(path, whole);
    return { path, byteSize: whole.length };
  }
}
