/**
 * Reads damaged images and archives from index `from` to `to` and says on stdout, a JSON line each, when it begins and ends
 * one: a crash or a hang is then of the one that began last. Ends with the peak of its memory.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { LabelsmithError } from '../../src/errors.ts';
import { decodeCovered, decodeLetterboxed } from '../../src/images/decode.ts';
import { inspect } from '../../src/images/inspect.ts';
import { openSource } from '../../src/sources/open.ts';
import { keywordsIn } from '../../src/stages/discover/keywords.ts';
import { quartersHeic } from '../fixtures/heic.ts';
import { animated, cameraJpeg, jpegScene, orientedJpeg, scene } from '../fixtures/images.ts';
import { mutated } from '../fixtures/mutations.ts';
import { RAW_KINDS, rawFile } from '../fixtures/raw-files.ts';
import { tarGzOf, tarOf, zipOf } from '../fixtures/zip-and-tar.ts';

const [from, to] = process.argv.slice(2).map(Number);
/** Small files: the most of their bytes are headers, and many are read in a minute. */
const MAX_PIXELS = 2 ** 24;

interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
}

async function seeds(): Promise<Seed[]> {
  const small = () => scene(64, 48, 3);
  const pixels = join(import.meta.dirname, '../fixtures/pixels');
  const numbers = readdirSync(pixels).filter((name) => !name.endsWith('.json'));
  const members = [
    { name: 'a/b.jpg', content: await jpegScene(40, 30) },
    { name: 'c.png', content: await small().png().toBuffer() },
    { name: 'no-extension', content: await small().webp().toBuffer() },
  ];
  const raw = { jpeg: await jpegScene(640, 480), thumbnail: await jpegScene(160, 120), orientation: 6 };
  return [
    { name: 'baseline.jpg', bytes: await small().jpeg().toBuffer() },
    { name: 'progressive.jpg', bytes: await small().jpeg({ progressive: true }).toBuffer() },
    { name: 'camera.jpg', bytes: await cameraJpeg('2024:05:31 10:20:30', '+02:00') },
    { name: 'oriented.jpg', bytes: await orientedJpeg(6) },
    { name: 'profile.jpg', bytes: await small().withIccProfile('p3').jpeg().toBuffer() },
    { name: 'plain.png', bytes: await small().png().toBuffer() },
    { name: 'interlaced.png', bytes: await small().png({ progressive: true }).toBuffer() },
    { name: 'lossy.webp', bytes: await small().webp().toBuffer() },
    { name: 'lossless.webp', bytes: await small().webp({ lossless: true }).toBuffer() },
    { name: 'plain.gif', bytes: await small().gif().toBuffer() },
    { name: 'plain.avif', bytes: await small().avif({ effort: 0 }).toBuffer() },
    { name: 'plain.tif', bytes: await small().tiff({ compression: 'lzw' }).toBuffer() },
    { name: 'jpeg.tif', bytes: await small().tiff({ compression: 'jpeg' }).toBuffer() },
    ...(await Promise.all((['gif', 'webp', 'tiff'] as const).map(animated))).map((bytes, i) => ({
      name: `animated.${['gif', 'webp', 'tif'][i]}`,
      bytes,
    })),
    { name: 'quarters.heic', bytes: quartersHeic() },
    ...RAW_KINDS.map((kind) => ({ name: `camera.${kind}`, bytes: rawFile(kind, raw) })),
    ...numbers.map((name) => ({ name, bytes: readFileSync(join(pixels, name)) })),
    { name: 'a.zip', bytes: zipOf(members) },
    { name: 'stored.zip', bytes: zipOf(members.map((member) => ({ ...member, stored: true }))) },
    { name: 'a.tar', bytes: await tarOf(members) },
    { name: 'a.tar.gz', bytes: await tarGzOf(members) },
  ];
}

/** What is done with an image on its way through the stages. */
async function readImage(bytes: Buffer): Promise<void> {
  const options = { maxPixels: MAX_PIXELS };
  const ways = [
    () => inspect(bytes, options),
    () => decodeLetterboxed(bytes, { ...options, width: 64, height: 64 }),
    () => decodeCovered(bytes, 32, options),
    () => keywordsIn(bytes),
  ];
  for (const way of ways) await refusedAtMost(way);
}

async function readArchive(folder: string, name: string, bytes: Buffer): Promise<void> {
  writeFileSync(join(folder, name), bytes);
  const source = await openSource(name, { cwd: folder, archiveCache: join(folder, 'cache') });
  for await (const item of source.list()) {
    if (item.kind === 'entry') await refusedAtMost(() => item.entry.read(2 ** 24));
  }
  rmSync(join(folder, 'cache'), { recursive: true, force: true });
}

/** A bad file is refused with a reason; anything else is a fault of ours. */
async function refusedAtMost(way: () => Promise<unknown>): Promise<void> {
  try {
    await way();
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    const inner = error.cause;
    if (inner instanceof TypeError || inner instanceof ReferenceError) throw inner;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'labelsmith-damaged-'));
sharp.cache(false);
const all = await seeds();
for (let index = from; index < to; index++) {
  const seed = all[index % all.length];
  const other = all[(index * 7 + 1) % all.length];
  const bytes = mutated(seed.bytes, other.bytes, index);
  process.stdout.write(`${JSON.stringify({ begins: index, name: seed.name })}\n`);
  const startedAt = performance.now();
  const isArchive = /\.(zip|tar|tar\.gz)$/.test(seed.name);
  try {
    if (isArchive) await readArchive(folder, seed.name, bytes);
    else await readImage(bytes);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ failed: index, message: String((error as Error).stack ?? error) })}\n`);
  }
  process.stdout.write(`${JSON.stringify({ ends: index, tookMs: Math.round(performance.now() - startedAt) })}\n`);
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ peakBytes: process.resourceUsage().maxRSS * 1024 })}\n`);
