/**
 * A million rows with a fault in the last one: the others are read, and one problem names the row, in bounded memory. The heap is limited to
 * 512 MB, of which a million rows held at once would need more. COCO is the one format whose reader keeps something a
 * row (24 bytes an annotation); a YOLO file of one image is read as a whole.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import tar from 'tar-stream';
import type { FormatName } from '../../src/formats/format.ts';
import { inTemporaryFolder } from '../contracts/format.ts';

const ROWS = 1_000_000;
const FORMATS = resolve(import.meta.dirname, '../../src/formats/index.ts');
const READER = `
import { Reckoning, readFormat } from ${JSON.stringify(FORMATS)};
let images = 0, regions = 0;
const reckoning = new Reckoning();
for await (const image of readFormat(process.argv[1], process.argv[2], { reckoning })) {
  images++;
  regions += image.regions.length;
}
console.log(JSON.stringify({ images, regions, problems: reckoning.report().problems }));`;

/** Rows from 0; the last one is the broken one. */
async function writeRows(
  path: string,
  head: string,
  row: (i: number, bad: boolean) => string,
  tail: string,
): Promise<void> {
  const file = createWriteStream(path);
  file.write(head);
  for (let i = 0; i < ROWS; i += 1000) {
    let text = '';
    for (let k = i; k < i + 1000; k++) text += row(k, k === ROWS - 1);
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end(tail);
  await once(file, 'close');
}

interface LargeCase {
  readonly format: FormatName;
  readonly file: string;
  readonly write: (path: string) => Promise<void>;
  /** Of the one problem. */
  readonly place: RegExp;
  readonly rows?: number;
}

const comma = (i: number) => (i === 0 ? '' : ',');
/** Text where a number is meant. */
const x2 = (bad: boolean) => (bad ? '"?"' : 30);

const CASES: readonly LargeCase[] = [
  {
    format: 'csv',
    file: 'x.csv',
    write: (path) => writeRows(path, 'file,class,x1,y1,x2,y2\n', (i, bad) => `${i}.jpg,dog,1,2,${x2(bad)},40\n`, ''),
    place: /^x\.csv:1000001 x2$/,
  },
  {
    format: 'jsonl',
    file: 'x.jsonl',
    write: (path) =>
      writeRows(path, '', (i, bad) => `{"file":"${i}.jpg","regions":[{"box":[1,2,${x2(bad)},40]}]}\n`, ''),
    place: /^x\.jsonl:1000000 regions\[0\]\.box\[2\]$/,
  },
  {
    format: 'coco',
    file: 'x.json',
    write: (path) =>
      writeRows(
        path,
        `{"images":[${Array.from({ length: 100 }, (_, i) => `{"id":${i},"file_name":"${i}.jpg"}`)}],"categories":[{"id":1,"name":"dog"}],"annotations":[`,
        (i, bad) => `${comma(i)}{"id":${i},"image_id":${i % 100},"category_id":1,"bbox":[1,2,${x2(bad)},40]}\n`,
        ']}',
      ),
    place: /^x\.json annotations\[999999\]\.bbox\[2\]$/,
  },
  {
    format: 'label-studio',
    file: 'x.json',
    write: (path) =>
      writeRows(
        path,
        '[',
        (i, bad) =>
          `${comma(i)}{"data":{"image":"${i}.jpg"},"annotations":[{"result":[{"type":"rectanglelabels","value":{"x":1,"y":2,"width":${x2(bad)},"height":4,"rectanglelabels":["dog"]}}]}]}\n`,
        ']',
      ),
    place: /^x\.json \[999999\]\.annotations\[0\]\.result\[0\]\.value\.width$/,
  },
  {
    format: 'cvat',
    file: 'annotations.xml',
    write: (path) =>
      writeRows(
        path,
        '<annotations>\n',
        (i, bad) =>
          `<image name="${i}.jpg" width="50" height="50"><box label="dog" xtl="1" ytl="2" xbr="${bad ? '?' : 30}" ybr="40"/></image>\n`,
        '</annotations>',
      ),
    place: /^annotations\.xml:1000001 xbr$/,
  },
  {
    format: 'hf',
    file: 'metadata.jsonl',
    write: (path) =>
      writeRows(
        path,
        '',
        (i, bad) => `{"file_name":"${i}.jpg","objects":{"bbox":[[1,2,${x2(bad)},40]],"categories":["dog"]}}\n`,
        '',
      ),
    place: /^metadata\.jsonl:1000000 objects\.bbox\[0\]\[2\]$/,
  },
  {
    format: 'yolo',
    file: 'set',
    async write(path) {
      await mkdir(join(path, 'images'), { recursive: true });
      await mkdir(join(path, 'labels'));
      await writeFile(join(path, 'classes.txt'), 'dog\n');
      await writeFile(join(path, 'images/a.jpg'), 'x');
      // More than one image may have: those over the limit are left out and told.
      await writeRows(join(path, 'labels/a.txt'), '', (_, bad) => `0 .5 .5 .25 ${bad ? '?' : 0.25}\n`, '');
    },
    rows: 100_001,
    place: /^labels\/a\.txt:100001$/,
  },
  {
    format: 'parquet',
    file: 'x.parquet',
    async write(path) {
      const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' } as const;
      const number = { type: 'DOUBLE', repetition_type: 'REQUIRED' } as const;
      const boxes = ['x1', 'y1', 'x2', 'y2'];
      const schema = [
        { name: 'root', num_children: 6 },
        { name: 'file', ...text },
        { name: 'class', ...text },
        ...boxes.map((name) => ({ name, ...number })),
      ];
      const writer = new ParquetWriter({ writer: fileWriter(path), schema });
      const size = 100_000;
      for (let from = 0; from < ROWS; from += size) {
        const rows = Array.from({ length: size }, (_, i) => from + i);
        const columnData = [
          { name: 'file', data: rows.map((i) => `${i}.jpg`) },
          { name: 'class', data: rows.map(() => 'dog') },
          ...boxes.map((name, k) => ({ name, data: rows.map((i) => [1, 2, i === ROWS - 1 ? Number.NaN : 30, 40][k]) })),
        ];
        await writer.write({ columnData, rowGroupSize: size });
      }
      await writer.finish();
    },
    place: /^x\.parquet row 1000000 x2$/,
  },
  {
    format: 'webdataset',
    rows: ROWS / 10,
    file: 'x.tar',
    async write(path) {
      const pack = tar.pack();
      const file = createWriteStream(path);
      pack.pipe(file);
      const count = ROWS / 10;
      for (let i = 0; i < count; i++) {
        const box = `[1,2,${x2(i === count - 1)},40]`;
        await new Promise<void>((done, fail) => {
          const text = `{"file":"${i}.jpg","regions":[{"box":${box}}]}`;
          pack.entry({ name: `${i}.json` }, text, (error) => (error ? fail(error) : done()));
        });
      }
      pack.finalize();
      await once(file, 'close');
    },
    place: /^x\.tar 99999\.json regions\[0\]\.box\[2\]$/,
  },
];

describe('a million rows with a fault at the end', () => {
  for (const { format, file, write, place, rows = ROWS } of CASES) {
    it(format, () =>
      inTemporaryFolder(async (folder) => {
        const path = join(folder, file);
        await write(path);
        const { stdout, stderr, status } = spawnSync(
          process.execPath,
          ['--max-old-space-size=512', '--input-type=module', '-e', READER, format, path],
          { encoding: 'utf8' },
        );
        assert.equal(status, 0, stderr);
        const read = JSON.parse(stdout) as { regions: number; problems: { examples: { where: string }[] }[] };
        assert.equal(read.regions, rows - 1);
        assert.equal(read.problems.length, 1);
        assert.match(read.problems[0].examples[0].where, place);
      }),
    );
  }
});
