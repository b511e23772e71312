/**
 * A thousand damaged label files a format: bytes flipped, cut, doubled, numbers blown up, text put in between. Each is
 * read or refused with one error of ours, in bounded time, and nothing else happens.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { FOREIGN_READERS } from '../../src/formats/foreign/table.ts';
import { Reckoning } from '../../src/formats/reckoning.ts';
import { FORMATS } from '../../src/formats/table.ts';
import { exportDataset } from '../../src/stages/export/write.ts';
import { regionsInside } from '../../src/stages/import/frame.ts';
import { contextFor, generatedSet, inTemporaryFolder, readAll, streamOf, writeFiles } from '../contracts/format.ts';
import { FOREIGN_FILES } from '../fixtures/foreign-files.ts';
import fc from '../properties.ts';

const MUTATIONS = Number(process.env.LABELSMITH_MUTATIONS ?? 1000);
/** A damaged Parquet file may take the whole of its time limit, which is 15 s. */
const MAX_MS = 25_000;
const MAX_HEAP_BYTES = 1.5e9;

type Random = ReturnType<typeof seededRandom>;

const WORDS = [
  '-1',
  '1e308',
  '99999999999999999999',
  'NaN',
  'null',
  '[',
  '{',
  '"',
  '\\ud800',
  '<',
  '&',
  ',',
  '\n',
  '\0',
  '\ufeff',
  '[[[[[[[['.repeat(500),
];

function mutated(bytes: Buffer, random: Random): Buffer {
  const at = () => Math.floor(random() * (bytes.length + 1));
  let result = Buffer.from(bytes);
  for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
    const [a, b] = [at(), at()].sort((x, y) => x - y);
    switch (Math.floor(random() * 6)) {
      case 0:
        if (result.length > 0) result[a % result.length] ^= 1 << Math.floor(random() * 8);
        break;
      case 1:
        result = result.subarray(0, a);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, a), result.subarray(b)]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, b), result.subarray(a)]);
        break;
      case 4: {
        const word = WORDS[Math.floor(random() * WORDS.length)];
        result = Buffer.concat([result.subarray(0, a), Buffer.from(word), result.subarray(a)]);
        break;
      }
      default: {
        // A number in the text becomes another one.
        const text = result.toString('latin1');
        const numbers = [...text.matchAll(/\d+/g)];
        const found = numbers[Math.floor(random() * numbers.length)];
        if (found === undefined) break;
        const word = WORDS[Math.floor(random() * 5)];
        result = Buffer.from(text.slice(0, found.index) + word + text.slice(found.index + found[0].length), 'latin1');
      }
    }
  }
  return result;
}

/** Label files of an export, by name; pictures are left alone. */
async function labelFiles(out: string, kind: 'file' | 'folder'): Promise<string[]> {
  if (kind === 'file') return [''];
  const entries = await readdir(out, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(?:jpe?g|png)$/i.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    .sort();
}

describe(`${MUTATIONS} damaged files a format`, () => {
  const [set] = fc.sample(
    generatedSet.filter(({ images }) => images.length > 3 && images.some(({ regions }) => regions.length > 1)),
    { numRuns: 1, seed: 11 },
  );
  const exported = FORMATS.map(({ name, kind }) => ({
    name,
    kind,
    make: async (out: string) => {
      await exportDataset(name, out, streamOf(set.images), contextFor(set.images, set.seeds));
    },
  }));
  const foreign = FOREIGN_READERS.map(({ name }) => ({
    name,
    kind: 'folder' as const,
    make: (out: string) => writeFiles(out, Object.entries(FOREIGN_FILES).find(([of]) => of === name)?.[1] ?? {}),
  }));
  for (const format of [...exported, ...foreign])
    it(format.name, () =>
      inTemporaryFolder(async (folder) => {
        const out = join(folder, 'out');
        await format.make(out);
        const names = await labelFiles(out, format.kind);
        if (names.length === 0) return;
        const random = seededRandom(1, `mutations:${format.name}`);
        let [read, refused] = [0, 0];
        for (let i = 0; i < MUTATIONS; i++) {
          const name = names[Math.floor(random() * names.length)];
          const path = name === '' ? out : join(out, name);
          const whole = await readFile(path);
          await mkdir(dirname(path), { recursive: true });
          await writeFile(path, mutated(whole, random));
          const startedMs = performance.now();
          const reckoning = new Reckoning();
          try {
            const images = await readAll(format.name, out, { reckoning });
            for (const image of images) regionsInside(image, { width: 640, height: 480, orientation: 6 }, reckoning);
            reckoning.report();
            read++;
          } catch (error) {
            const kept = join(dirname(folder), `labelsmith-mutation-${format.name}-${i}`);
            if (!(error instanceof LabelsmithError)) await writeFile(kept, await readFile(path));
            assert.ok(error instanceof LabelsmithError, `${kept}: ${error instanceof Error ? error.stack : error}`);
            assert.ok(error.message.length < 2000, 'a short message');
            refused++;
          }
          const tookMs = performance.now() - startedMs;
          assert.ok(tookMs < MAX_MS, `mutation ${i} took ${Math.round(tookMs)} ms`);
          assert.ok(
            process.memoryUsage().rss < MAX_HEAP_BYTES * 2,
            `mutation ${i}: ${process.memoryUsage().rss} bytes`,
          );
          await writeFile(path, whole);
        }
        assert.equal(read + refused, MUTATIONS);
        await rm(out, { recursive: true, force: true });
      }),
    );
});
