/**
 * Vectors to measure on: the built-in embedder's single view of cifar10 and caltech-30, scaled to length 1, repeated with
 * noise as often as needed. The features are kept in the system's folder for temporary files.
 */
import { existsSync } from 'node:fs';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { decodeCovered } from '../src/images/decode.ts';
import { type Matrix, matrix, newSharedMatrix, normalisedRows } from '../src/math/matrix.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { tarMembers } from '../src/sources/tar.ts';
import { dataSet } from './photos.ts';

/** Noise as a share of a vector's length: copies of one image then have a cosine of .92, less than many neighbours. */
export const NOISE = 0.3;

/** Features of 11,417 images, length 1. */
export async function realFeatures(): Promise<Matrix> {
  const embedder = await openEmbedder('mobilenetv3-small', { recipe: { batch: 8, views: undefined } });
  try {
    const kept = join(tmpdir(), `labelsmith-bench-${embedder.key.replaceAll(/[^\w.-]+/g, '-')}.f32`);
    if (existsSync(kept)) {
      const bytes = await readFile(kept);
      const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      return normalisedRows(matrix(data, data.length / embedder.dimensions, embedder.dimensions));
    }
    process.stderr.write('embedding cifar10 and caltech-30…\n');
    const vectors: Float32Array[] = [];
    let waiting: Buffer[] = [];
    const flush = async () => {
      const side = embedder.input.width;
      const pixels = new Uint8Array(waiting.length * side * side * 3);
      const decoded = await Promise.all(waiting.map((bytes) => decodeCovered(bytes, side)));
      for (const [i, image] of decoded.entries()) pixels.set(image.pixels, i * side * side * 3);
      vectors.push((await embedder.embed(pixels, waiting.length)).slice());
      waiting = [];
    };
    for await (const bytes of images()) {
      waiting.push(bytes);
      if (waiting.length === embedder.batch) await flush();
    }
    if (waiting.length > 0) await flush();
    const data = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const batch of vectors) {
      data.set(batch, at);
      at += batch.length;
    }
    await writeFile(kept, new Uint8Array(data.buffer));
    return normalisedRows(matrix(data, data.length / embedder.dimensions, embedder.dimensions));
  } finally {
    await embedder.close();
  }
}

async function* images(): AsyncGenerator<Buffer> {
  const archive = dataSet('cifar10-test.tar');
  const file = await open(archive);
  try {
    for await (const member of tarMembers(file, (await file.stat()).size, archive)) {
      if (!member.name.toString().endsWith('.jpg')) continue;
      const bytes = Buffer.alloc(member.byteSize);
      await file.read(bytes, 0, member.byteSize, member.offset);
      yield bytes;
    }
  } finally {
    await file.close();
  }
  const folder = dataSet('caltech-30');
  for (const name of (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.jpg')).sort()) {
    yield readFile(join(folder, name));
  }
}

/** `rows` vectors of length 1: the features in random order, again and again, each time with other noise. */
export function repeated(features: Matrix, rows: number, seed: number): Matrix {
  const { columns } = features;
  const random = seededRandom(seed, 'features');
  const order = shuffled(
    Array.from({ length: features.rows }, (_, i) => i),
    random,
  );
  const gaussian = Float32Array.from(
    { length: 1 << 20 },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  const scale = NOISE / Math.sqrt(columns);
  const result = newSharedMatrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    const from = order[i % features.rows] * columns;
    const start = Math.floor(random() * gaussian.length);
    const stride = 1 + 2 * Math.floor(random() * 1000);
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const noise = gaussian[(start + j * stride) & (gaussian.length - 1)];
      const value = features.data[from + j] + scale * noise;
      result.data[i * columns + j] = value;
      square += value * value;
    }
    const length = Math.sqrt(square);
    for (let j = 0; j < columns; j++) {
      result.data[i * columns + j] = result.data[i * columns + j] / length;
    }
  }
  return result;
}
