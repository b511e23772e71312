import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Float64, Table, tableFromIPC, tableToIPC, vectorFromArray } from 'apache-arrow';
import {
  brokenFiles,
  contextFor,
  inTemporaryFolder,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import { exportDataset } from '../../stages/export/write.ts';

/** arrow-rs built as WebAssembly: another implementation than the one under test, in both directions. */
const arrowRs = createRequire(import.meta.url)('parquet-wasm') as typeof import('parquet-wasm');

function parquetOf(columns: Record<string, readonly unknown[]>, compression = arrowRs.Compression.SNAPPY): Uint8Array {
  const vectors = Object.entries(columns).map(([name, values]) => {
    const numbers = values.every((value) => value === null || typeof value === 'number');
    return [name, numbers ? vectorFromArray(values as number[], new Float64()) : vectorFromArray(values as string[])];
  });
  const table = new Table(Object.fromEntries(vectors));
  const properties = new arrowRs.WriterPropertiesBuilder().setCompression(compression).build();
  return arrowRs.writeParquet(arrowRs.Table.fromIPCStream(tableToIPC(table, 'stream')), properties);
}

describe('parquet', () => {
  it('arrow-rs reads what is written', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'labels.parquet');
      await exportDataset('parquet', out, streamOf(images), contextFor(images, seeds));
      const table = tableFromIPC(arrowRs.readParquet(await readFile(out)).intoIPCStream());
      assert.equal(
        table.schema.fields.map((field) => `${field.name}:${field.type}${field.nullable ? '?' : ''}`).join(' '),
        'file:Utf8 sha256:Utf8 width:Int32? height:Int32? split:Utf8? task:Utf8? class:Utf8? confidence:Float64? ' +
          'origin:Utf8? region:Utf8? x1:Float64? y1:Float64? x2:Float64? y2:Float64? score:Float64? crowd:Bool? touched:Bool?',
      );
      const rows = table.toArray().map((row) => row?.toJSON() as Record<string, unknown>);
      assert.deepEqual(
        rows.map((row) => [row.file, row.class, row.confidence, row.x1, row.y2, row.score]),
        [
          ['day 1/a.jpg', 'dog', 0.9, null, null, null],
          ['day 1/a.jpg', 'zebra fish', 0.5, null, null, null],
          ['day 1/a.jpg', 'dog', 0.9, 10, 70.5, 0.9],
          ['day 1/a.jpg', 'zebra fish', null, 0, 50, 0.123457],
          ['b.png', null, null, null, null, null],
        ],
      );
    });
  });

  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI'] as const)
    it(`reads what arrow-rs writes with ${codec}`, async () => {
      const bytes = parquetOf(
        {
          file: ['a.jpg', 'a.jpg', 'b.jpg'],
          class: ['cat', 'dog', null],
          x1: [1, null, null],
          y1: [2, null, null],
          x2: [3, null, null],
          y2: [4.5, null, null],
          confidence: [0.5, 0.25, null],
        },
        arrowRs.Compression[codec],
      );
      await inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { 'x.parquet': bytes });
        const [a, b] = await readAll('parquet', join(folder, 'x.parquet'));
        assert.deepEqual(a?.regions[0]?.box, [1, 2, 3, 4.5]);
        assert.equal(a?.regions[0]?.score, 0.5);
        assert.deepEqual(a?.labels, [{ className: 'dog', confidence: 0.25, origin: null, task: null }]);
        assert.deepEqual([b?.file, b?.labels], ['b.jpg', []]);
      });
    });
});

const path = 'x.parquet';
const one = (columns: Record<string, readonly unknown[]>) => ({
  [path]: parquetOf({ file: ['ok', 'a'], class: ['c', 'c'], ...columns }),
});
const whole = parquetOf({ file: ['a.jpg'], class: ['c'] });
const box = (x2: number) => ({ x1: [1, 1], y1: [1, 1], x2: [2, x2], y2: [2, 2] });

brokenFiles('parquet', [
  { what: 'empty', files: { [path]: '' }, path, message: /x\.parquet: not valid Parquet/ },
  {
    what: 'cut',
    files: { [path]: whole.subarray(0, whole.length - 20) },
    path,
    message: /x\.parquet: not valid Parquet/,
  },
  {
    what: 'pages overwritten',
    files: { [path]: Buffer.concat([whole.subarray(0, 4), Buffer.alloc(40, 0xff), whole.subarray(44)]) },
    path,
    message: /x\.parquet rows 1 to 1: not valid Parquet/,
  },
  {
    what: 'no class',
    files: { [path]: parquetOf({ file: ['a'], name: ['b'] }) },
    path,
    message: /x\.parquet: there is no column class/,
  },
  {
    what: 'numbers for names',
    files: { [path]: parquetOf({ file: [1], class: ['a'] }) },
    path,
    message: /x\.parquet row 1 file: text was expected, not 1/,
  },
  {
    what: 'NaN',
    files: one(box(Number.NaN)),
    path,
    message: /x\.parquet row 2 x2: a finite number was expected, not NaN/,
  },
  {
    what: 'a negative size',
    files: one(box(0)),
    path,
    message: /x\.parquet row 2: \[1,1,0,2\]$/,
  },
  {
    what: 'a box of three corners',
    files: one({ x1: [null, 1], y1: [null, 1], x2: [null, 2], y2: [null, null] }),
    path,
    message: /x\.parquet row 2 y2: a finite number was expected, not null/,
  },
  {
    what: 'a confidence of 2',
    files: one({ confidence: [1, 2] }),
    path,
    message: /x\.parquet row 2 confidence: 2$/,
  },
]);
