/** Photographs to measure on: those of the benchmark data, repeated with unique bytes as often as needed. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const DATA = resolve(process.env.LABELSMITH_BENCH_DATA ?? '../shared/data');

/** A set's folder, or a printed reason and the end: a benchmark without its data measures nothing. */
export function dataSet(name: string): string {
  const path = join(DATA, name);
  if (existsSync(path)) return path;
  process.stderr.write(`no benchmark data at ${path}: name its folder with LABELSMITH_BENCH_DATA\n`);
  process.exit(1);
}

/**
 * Writes `count` JPEGs into `out`, the set's photographs in turn. Every copy carries its number in a comment segment
 * behind the start marker, so all of them differ in their bytes and none in its pixels.
 */
export async function uniquePhotos(set: string, count: number, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const names = readdirSync(set)
    .filter((name) => name.endsWith('.jpg'))
    .sort();
  const photos = await Promise.all(names.map((name) => readFile(join(set, name))));
  for (let i = 0; i < count; i++) {
    const photo = photos[i % photos.length] as Buffer;
    await writeFile(join(out, `${String(i).padStart(7, '0')}.jpg`), withComment(photo, `copy ${i}`));
  }
}

/** A JPEG with a comment of at most 253 bytes behind its start marker: other bytes, the same pixels. */
export function withComment(photo: Buffer, text: string): Buffer {
  const comment = Buffer.from(text);
  const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, comment.length + 2]), comment]);
  return Buffer.concat([photo.subarray(0, 2), segment, photo.subarray(2)]);
}
