import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { inTemporaryFolder } from '../../test/contracts/format.ts';
import fc from '../../test/properties.ts';
import { jsonElements, jsonPieces, parseJson } from './json-stream.ts';

/** Numbers that doubles hold: longer ones come as text, see below. */
const jsonValue = fc.jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value)));

it('gives what JSON.parse gives, whatever the chunks, with the bytes each piece spans', async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, 'x.json');
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.array(jsonValue), jsonValue));
    await fc.assert(
      fc.asyncProperty(object, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (value, chunkBytes, pretty) => {
        await writeFile(path, JSON.stringify(value, null, pretty ? 2 : 0));
        const bytes = await readFile(path);
        const got: [string, unknown][] = [];
        for await (const piece of jsonPieces(path, 'x.json', chunkBytes)) {
          const list = got.at(-1);
          if (piece.index === null) got.push([piece.key, piece.value()]);
          else if (piece.index === 0) got.push([piece.key, [piece.value()]]);
          else (list as [string, unknown[]])[1].push(piece.value());
          if (piece.end > piece.start)
            assert.deepEqual(JSON.parse(bytes.toString('utf8', piece.start, piece.end)), piece.value());
        }
        assert.deepEqual(got, Object.entries(JSON.parse(bytes.toString())));
      }),
      { numRuns: 300 },
    );
  });
});

it('gives the elements of a list, whatever the chunks', async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, 'x.json');
    await fc.assert(
      fc.asyncProperty(fc.array(jsonValue), fc.integer({ min: 1, max: 40 }), async (list, chunkBytes) => {
        await writeFile(path, JSON.stringify(list));
        const got: unknown[] = [];
        for await (const { index, value } of jsonElements(path, 'x.json', chunkBytes)) {
          assert.equal(index, got.length);
          got.push(value());
        }
        assert.deepEqual(got, JSON.parse(await readFile(path, 'utf8')));
      }),
      { numRuns: 100 },
    );
  });
});

it('keeps whole numbers of 64 bits apart, and reads what Python writes for no number', () => {
  assert.deepEqual(parseJson('{"a":1742918374650129001,"b":[1742918374650129002,-12,1.12345678901234567]}'), {
    a: '1742918374650129001',
    b: ['1742918374650129002', -12, 1.1234567890123457],
  });
  assert.deepEqual(parseJson('{"NaN":[NaN,-Infinity,"Infinity \\" NaN"]}'), { NaN: [null, null, 'Infinity " NaN'] });
  assert.throws(() => parseJson('{"a":Nan}'), SyntaxError);
});
