import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  contextFor,
  inTemporaryFolder,
  readAll,
  streamOf,
  twoImages,
} from '../../../test/contracts/format.ts';
import fc from '../../../test/properties.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { csvRow, fileCell, fileOfCell, textCell, textOfCell } from '../csv-table.ts';

const python = '/usr/bin/python3';

describe('csv', () => {
  it('writes what the design says, byte for byte', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'labels.csv');
      await exportDataset('csv', out, streamOf(images), contextFor(images, seeds));
      assert.equal(
        await readFile(out, 'utf8'),
        `file,class,confidence,origin,task,x1,y1,x2,y2
day 1/a.jpg,dog,0.9,detector,objects,,,,
day 1/a.jpg,zebra fish,0.5,detector,objects,,,,
day 1/a.jpg,dog,0.9,detector,objects,10,20,110,70.5
day 1/a.jpg,zebra fish,0.123457,detector,objects,0,0,50,50
b.png,,,,,,,,
`,
      );
    });
  });

  it('reads answers about regions of the workspace, and what items are not', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'answers.csv');
      const rows = [
        'a.jpg,cat,,part,r1,0,0,9,9',
        'a.jpg,,dog,part,r2,1,1,9,9',
        'a.jpg,,,part,r3,2,2,9,9',
        'a.jpg,,owl,,,,,,',
      ];
      await writeFile(path, ['file,class,not,task,region,x1,y1,x2,y2', ...rows].join('\n'));
      const rowsRead = await readAll('csv', path);
      assert.deepEqual(
        rowsRead.map(({ answer, where }) => [answer, where]),
        [2, 3, 4, 5].map((line) => [true, `answers.csv:${line}`]),
        'each row by itself',
      );
      assert.deepEqual(
        rowsRead.flatMap(({ rejected }) => rejected ?? []),
        [{ className: 'owl', task: 'class' }],
      );
      assert.deepEqual(
        rowsRead
          .flatMap(({ regions }) => regions)
          .map(({ about, labels, rejected }) => [about, labels.map((one) => one.className), rejected]),
        [
          ['r1', ['cat'], []],
          ['r2', [], [{ className: 'dog', task: 'part' }]],
        ],
      );
    });
  });

  it('reads two columns, any line end, a byte-order mark, quoted line breaks, semicolons and tabs', async () => {
    const expected = [
      ['a.jpg', 'cat'],
      ['b, "c".jpg', 'two\nlines'],
    ];
    const text = '\ufefffile,class\r\na.jpg,cat\r\n\r\n"b, ""c"".jpg","two\nlines"\r\n,\r\n';
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'x.csv');
      const unquoted = (separator: string) =>
        `Class ${separator}FILE\ncat${separator}a.jpg\n"two\nlines"${separator}"b, ""c"".jpg"`;
      for (const content of [text, text.replaceAll('\r\n', '\n'), unquoted(';'), unquoted('\t')]) {
        await writeFile(path, content.replace(/^,\r?\n$/m, ''));
        const read = await readAll('csv', path);
        assert.deepEqual(
          read.map((image) => [image.file, image.labels[0]?.className]),
          expected,
        );
      }
    });
  });

  it('has rows that any reader takes apart into the same cells', {
    skip: existsSync(python) ? false : `${python} is not there`,
  }, async () => {
    const rows = fc.sample(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 4 }), {
      numRuns: 200,
      seed: 1,
    });
    const hard = ['a,b', '"', '\n', '\r\n', ' x ', '', '""', ';', "'", '\ufeff'];
    const all = [hard, ...rows].map((row) => row.map((cell) => cell.replaceAll('\0', '')));
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'x.csv');
      await writeFile(path, all.map(csvRow).join(''));
      const script =
        'import csv,json,sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))))';
      assert.deepEqual(JSON.parse(execFileSync(python, ['-c', script, path], { encoding: 'utf8' })), all);
    });
  });

  it('writes no cell that a spreadsheet runs, and reads back what was meant', async () => {
    for (const [text, cell] of [
      ['=1+1', "'=1+1"],
      ['-x', "'-x"],
      ["'=x", "''=x"],
      ["'x", "'x"],
      ['a=b', 'a=b'],
    ] as const) {
      assert.equal(textCell(text), cell);
      assert.equal(textOfCell(cell), text);
    }
    assert.equal(fileCell('-1.jpg'), './-1.jpg');
    assert.equal(fileOfCell('./-1.jpg'), '-1.jpg');
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.ok(!/^[=+\-@\t\r]/.test(textCell(text)));
        assert.equal(textOfCell(textCell(text)), text);
      }),
    );
  });
});

const csv = (text: string | Uint8Array) => ({ 'x.csv': text });
const header = 'file,class,confidence,origin,x1,y1,x2,y2\n';
brokenFiles('csv', [
  { what: 'an empty file', path: 'x.csv', files: csv(''), message: /^x\.csv: the file is empty/ },
  {
    what: 'no header',
    path: 'x.csv',
    files: csv('a.jpg,cat\n'),
    message: /^x\.csv:1: the header has no column file, class/,
  },
  {
    what: 'a column twice',
    path: 'x.csv',
    files: csv('file,class,File\n'),
    message: /^x\.csv:1: the column file comes twice/,
  },
  {
    what: 'a row cut short',
    path: 'x.csv',
    files: csv('file,class\na.jpg,cat\nb.jpg\n'),
    message: /^x\.csv:3: .*2.*1/,
  },
  { what: 'an open quote', path: 'x.csv', files: csv('file,class\na.jpg,"cat\n'), message: /^x\.csv:\d: .*[Qq]uote/ },
  {
    what: 'an empty file name',
    path: 'x.csv',
    files: csv('file,class\n,cat\n'),
    message: /^x\.csv:2: the file name is empty/,
  },
  {
    what: 'a confidence that is none',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,high,,,,,\n`),
    message: /^x\.csv:2 confidence: a finite number was expected, not "high"/,
  },
  {
    what: 'per cent',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,93,,,,,\n`),
    message: /^x\.csv:2 confidence: 93$/,
  },
  {
    what: 'an unknown origin',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,,me,,,,\n`),
    message: /^x\.csv:2 origin: "me"$/,
  },
  {
    what: 'NaN in a box',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,,,1,NaN,3,4\n`),
    message: /^x\.csv:2 y1: a finite number/,
  },
  {
    what: 'half a box',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,,,1,2,,\n`),
    message: /^x\.csv:2 x2: a finite number was expected, not ""/,
  },
  {
    what: 'a negative size',
    path: 'x.csv',
    files: csv(`${header}a.jpg,cat,,,9,2,3,4\n`),
    message: /^x\.csv:2: \[9,2,3,4\]$/,
  },
  {
    what: 'a box of nothing',
    path: 'x.csv',
    files: csv(`${header}a.jpg,,,,1,2,3,4\n`),
    message: /^x\.csv:2: the row has a box and no class/,
  },
  {
    what: 'Latin-1',
    path: 'x.csv',
    files: csv(Buffer.from('file,class\na.jpg,M\xf6bel\n', 'latin1')),
    message: /^x\.csv .*not UTF-8/,
  },
]);

const jsonl = (text: string) => ({ 'x.jsonl': `{"file":"ok.jpg"}\n${text}\n` });
const region = (box: string, rest = '') =>
  jsonl(`{"file":"a.jpg","regions":[{"box":${box},"labels":[{"class":"a"}]${rest}}]}`);
brokenFiles('jsonl', [
  { what: 'a cut line', path: 'x.jsonl', files: jsonl('{"file":"a'), message: /^x\.jsonl:2: not valid JSON/ },
  { what: 'a list', path: 'x.jsonl', files: jsonl('[]'), message: /^x\.jsonl:2: an object was expected, not \[\]/ },
  {
    what: 'no file',
    path: 'x.jsonl',
    files: jsonl('{}'),
    message: /^x\.jsonl:2 file: text was expected, not nothing/,
  },
  {
    what: 'a wrong id',
    path: 'x.jsonl',
    files: jsonl('{"file":"a","sha256":"xyz"}'),
    message: /^x\.jsonl:2 sha256: 64 lower-case/,
  },
  {
    what: 'three corners',
    path: 'x.jsonl',
    files: region('[1,2,3]'),
    message: /^x\.jsonl:2 regions\[0\]\.box: \[x1, y1, x2, y2\] was expected/,
  },
  {
    what: 'a negative size',
    path: 'x.jsonl',
    files: region('[3,2,1,4]'),
    message: /^x\.jsonl:2 regions\[0\]\.box: \[3,2,1,4\]$/,
  },
  {
    what: 'text for a number',
    path: 'x.jsonl',
    files: region('[1,2,"3",4]'),
    message: /regions\[0\]\.box\[2\]: a finite number was expected, not "3"/,
  },
  {
    what: 'a wrong visibility',
    path: 'x.jsonl',
    files: region('[1,2,3,4]', ',"keypoints":[[1,2,3]]'),
    message: /keypoints\[0\]: the visibility of a keypoint is 0, 1 or 2, not 3/,
  },
  {
    what: 'a label that is none',
    path: 'x.jsonl',
    files: jsonl('{"file":"a","labels":["cat"]}'),
    message: /labels\[0\]: an object was expected, not "cat"/,
  },
  {
    what: 'a zip',
    path: 'x.jsonl',
    files: { 'x.jsonl': Buffer.from('PK\x03\x04\x14\x00\x00\x00\xff', 'latin1') },
    message: /^x\.jsonl: this is a zip archive, and a text file was expected/,
  },
]);
