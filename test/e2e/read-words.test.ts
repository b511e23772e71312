/** `discover --read-words` through the built command line, on pictures whose words RapidOCR reads (`test/oracles/written_words.py`). */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { z } from 'zod';
import { seededRandom } from '../../src/core/random.ts';
import { READER } from '../../src/models/text-reader.ts';
import { runCli, scratch } from '../cli.ts';
import { copyModel, whyNotHere } from '../model-files.ts';
import { inSlowRuns } from '../thorough.ts';

const FIXTURE = z
  .object({ pictures: z.array(z.object({ name: z.string(), png: z.string() })) })
  .parse(JSON.parse(readFileSync(new URL('../fixtures/written-words.json', import.meta.url), 'utf8')));
const DISCOVERED = z.object({
  written: z.unknown().optional(),
  clusters: z.array(
    z.object({
      name: z.string(),
      size: z.number(),
      candidates: z.array(
        z.object({
          name: z.string(),
          evidence: z.array(z.object({ source: z.string(), count: z.number(), of: z.number() })),
        }),
      ),
    }),
  ),
});

const skip = await whyNotHere(READER);
const EACH = 8;

/** The picture somewhere on a larger ground with shapes of its own: no near copy of another one. */
function amongShapes(picture: Buffer, name: string, number: number): Sharp {
  const random = seededRandom(number, 'shapes');
  const side = 700;
  const shapes = Array.from({ length: 12 }, () => {
    const size = 40 + Math.floor(160 * random());
    const background = { r: 255 * random(), g: 255 * random(), b: 255 * random() };
    const at = () => Math.floor((side - size) * random());
    return {
      input: { create: { width: size, height: size, channels: 3, background } },
      left: at(),
      top: at(),
    } as const;
  });
  const at = () => Math.floor(250 * random());
  const ground = name === 'turned' ? '#20406a' : '#f4ead2';
  return sharp({ create: { width: side, height: side, channels: 3, background: ground } }).composite([
    ...shapes,
    { input: picture, left: at(), top: at() },
  ]);
}

test('words on things name clusters where they are asked for', { skip: inSlowRuns || skip }, async (t) => {
  const cwd = await scratch(t);
  const run = async (args: readonly string[], code = 0) => {
    const result = await runCli(args, { cwd });
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  mkdirSync(join(cwd, 'shop'));
  let number = 0;
  for (const { name, png } of FIXTURE.pictures.filter((picture) => picture.name !== 'large')) {
    for (let i = 0; i < EACH; i++) {
      const picture = amongShapes(Buffer.from(png, 'base64'), name, number);
      await picture.jpeg({ quality: 92 }).toFile(join(cwd, 'shop', `${number++}.jpg`));
    }
  }
  await run(['add', 'shop']);
  const discover = ['discover', '--quality', 'fast', '--k', '2'];
  const plain = DISCOVERED.parse(JSON.parse((await run([...discover, '--json'])).stdout));
  assert.deepEqual(plain.clusters.map(({ name }) => name).sort(), ['unnamed-1', 'unnamed-2']);
  assert.equal(plain.written, undefined);

  const kept = await run([...discover, '--read-words']);
  assert.match(kept.stdout, /Clusters that are there keep their names: --recluster reads/);

  // A file that was cut off since it was added is gone for what reads files, as everywhere.
  writeFileSync(join(cwd, 'shop', '0.jpg'), readFileSync(join(cwd, 'shop', '0.jpg')).subarray(0, 500));
  const named = DISCOVERED.parse(
    JSON.parse((await run([...discover, '--read-words', '--recluster', '--json'])).stdout),
  );
  assert.deepEqual(named.written, { model: READER, images: 2 * EACH - 1, withWords: 2 * EACH - 1, undecodable: 0 });
  const words = named.clusters.map(({ name, candidates }) => {
    assert.ok(candidates.every(({ evidence }) => evidence.every(({ source }) => source === 'written')));
    return [name, ...candidates.map((candidate) => candidate.name)];
  });
  const [carton, turned] = words[0]?.includes('juice') ? words : words.toReversed();
  for (const word of ['orange', 'juice', 'vitamin', 'fresh']) assert.ok(carton?.includes(word), `${word} of ${carton}`);
  for (const word of ['mandarin', 'morning']) assert.ok(turned?.includes(word), `${word} of ${turned}`);
  assert.ok(named.clusters.every(({ name }) => !name.startsWith('unnamed')));
  assert.match(
    (await run([...discover, '--read-words', '--recluster'])).stdout,
    /Read what is written on 15 images: words on 15\./,
  );

  // With no network and no such model it ends with what to do, and the clusters stay.
  const cache = join(cwd, 'cache');
  await copyModel('mobilenetv3-small', cache);
  const env = { LABELSMITH_CACHE: cache, LABELSMITH_MODELS: '', LABELSMITH_OFFLINE: '1' };
  const absent = await runCli([...discover, '--read-words', '--recluster'], { cwd, env });
  assert.equal(absent.code, 1);
  assert.match(
    absent.stderr,
    /ch_PP-OCRv4_det_infer\.onnx is not in the model cache[\s\S]*labelsmith models pull pp-ocr-v4/,
  );
  const still = DISCOVERED.parse(JSON.parse((await run([...discover, '--json'])).stdout));
  assert.deepEqual(
    still.clusters.map(({ name }) => name),
    named.clusters.map(({ name }) => name),
  );

  const regions = await run(['discover', '--read-words', '--items', 'regions'], 2);
  assert.match(regions.stderr, /--read-words reads whole images/);
});
