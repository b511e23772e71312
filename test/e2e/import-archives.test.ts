/** Label files in archives, and files whose format nobody names. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { tarGzOf, tarOf, zipOf } from '../fixtures/zip-and-tar.ts';

interface Imported {
  readonly format: string;
  readonly recognised: string | null;
  readonly matched: number;
  readonly regions: number;
  readonly splits: Readonly<Record<string, number>>;
  readonly reckoning: {
    readonly problems: readonly { readonly examples: readonly { readonly where: string; readonly what: string }[] }[];
  };
}

const JPEG = await jpegScene(160, 120, 1);
const OTHER = await jpegScene(160, 120, 2);

const YOLO: Readonly<Record<string, Uint8Array | string>> = {
  'set/data.yaml': 'train: train/images\nval: valid/images\nnames: [cat]\n',
  'set/train/images/a.jpg': JPEG,
  'set/train/labels/a.txt': '0 .5 .5 .2 .2\n',
  'set/valid/images/b.jpg': OTHER,
  'set/valid/labels/b.txt': '0 .5 .5 .4 .4\n',
  '__MACOSX/set/._data.yaml': 'x',
};

const COCO = JSON.stringify({
  images: [{ id: 1, file_name: 'a.jpg', width: 160, height: 120 }],
  annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [10, 10, 20, 20] }],
  categories: [{ id: 1, name: 'cat' }],
});

const members = (files: Readonly<Record<string, Uint8Array | string>>) =>
  Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));

test('a zip and a tar.gz are read as the folder in them, and matched with what was added from the archive', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await writeFile(join(dir, 'set.zip'), zipOf(members(YOLO)));
  await runJson(['add', 'set.zip'], at);
  const zip = await runJson<Imported>(['import', 'auto', 'set.zip'], at);
  assert.deepEqual([zip.format, zip.recognised], ['yolo', 'there is data.yaml in it']);
  assert.deepEqual([zip.matched, zip.regions, zip.splits], [2, 2, { train: 1, val: 1 }]);
  await writeFile(
    join(dir, 'coco.tar.gz'),
    await tarGzOf(members({ 'train/_annotations.coco.json': COCO, 'train/a.jpg': JPEG })),
  );
  const tar = await runJson<Imported>(['import', 'coco', 'coco.tar.gz'], at);
  assert.deepEqual([tar.format, tar.recognised, tar.matched, tar.splits], ['coco', null, 1, { train: 1 }]);
  const evaluation = await runJson<{ images: number }>(['evaluate', 'coco.tar.gz', '--task', 'objects'], at);
  assert.equal(evaluation.images, 1);
});

test('a broken archive, and one that leads elsewhere, write nothing and say so', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), JPEG);
  await runJson(['add', 'photos'], at);
  const whole = zipOf(members(YOLO));
  await writeFile(join(dir, 'cut.zip'), whole.subarray(0, whole.length / 2));
  const cut = await runCli(['import', 'auto', 'cut.zip'], at);
  assert.deepEqual([cut.code, /cut\.zip.*damaged/.test(cut.stderr)], [1, true], cut.stderr);
  await writeFile(join(dir, 'out.zip'), zipOf(members({ '../../x.json': COCO, 'y.json': COCO })));
  const read = async (name: string) => {
    const { matched, reckoning } = await runJson<Imported>(['import', 'auto', name], at);
    return [
      matched,
      ...reckoning.problems.flatMap(({ examples }) => examples.map(({ where, what }) => `${where}: ${what}`)),
    ];
  };
  assert.deepEqual(await read('out.zip'), [1, 'out.zip!/../../x.json: its name leads out of the archive']);
  const link = { name: 'l.json', type: 'symlink' } as const;
  await writeFile(join(dir, 'link.tar.gz'), gzipSync(await tarOf([link, ...members({ 'y.json': COCO })])));
  assert.deepEqual(await read('link.tar.gz'), [1, 'link.tar.gz!/l.json: it is a symlink, and no file']);
  await writeFile(join(dir, 'empty.zip'), zipOf([]));
  const empty = await runCli(['import', 'auto', 'empty.zip'], at);
  assert.deepEqual(
    [empty.code, /^labelsmith: empty\.zip: the archive holds no file/.test(empty.stderr)],
    [1, true],
    empty.stderr,
  );
});

/** D. Fifield, "A better zip bomb" (WOOT 2019): many names for one member, here the first one. */
function overlapping(zip: Buffer, name: string, count: number): Buffer {
  const start = zip.indexOf('PK\x01\x02', 0, 'latin1');
  const entry = zip.subarray(start, zip.indexOf('PK\x05\x06', start, 'latin1'));
  const entries = Array.from({ length: count }, (_, i) => {
    const other = Buffer.from(entry);
    other.write(String(i % 10), 46 + name.length - 5);
    return other;
  });
  const end = Buffer.from(zip.subarray(zip.length - 22));
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(entry.length * count, 12);
  return Buffer.concat([zip.subarray(0, start), ...entries, end]);
}

test('archives that are made to fill the disk are refused before they do', async (t) => {
  const dir = await scratch(t);
  const photos = join(dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a.jpg'), JPEG);
  await runJson(['add', 'photos'], { cwd: dir });
  const zeros = Buffer.alloc(9e7, '0');
  const rows = { name: 'labels/0.txt', content: Buffer.from('0 .5 .5 .1 .1\n'.repeat(1000)) };
  const bombs: readonly (readonly [file: string, bytes: Buffer, says: RegExp])[] = [
    [
      'zeros.zip',
      zipOf([{ name: 'labels/0.txt', content: zeros }]),
      /zeros\.zip: its label files grow to more than 200/,
    ],
    ['large.zip', zipOf([{ ...rows, claimedSize: 4e9 }]), /large\.zip: its label files are more than 2\.1 GB/],
    ['one.json.gz', gzipSync(zeros), /one\.json\.gz: its label files grow to more than 200 times/],
    ['set.tar.gz', await tarGzOf([{ name: 'labels/0.txt', content: zeros }]), /set\.tar\.gz: its label files grow/],
    [
      'overlap.zip',
      overlapping(zipOf([rows]), rows.name, 40),
      /labels\/.\.txt: the member cannot be unpacked: it lies in/,
    ],
    ['secret.zip', zipOf([{ ...rows, encrypted: true }]), /cannot be unpacked: it is encrypted/],
  ];
  const temporary = join(dir, 'tmp');
  await mkdir(temporary);
  for (const [file, bytes, says] of bombs) {
    await writeFile(join(dir, file), bytes);
    const { code, stderr } = await runCli(['import', 'yolo', file, '--names', 'cat,dog'], {
      cwd: dir,
      env: { TMPDIR: temporary },
    });
    assert.equal(code, 1, file);
    assert.match(stderr, says, file);
    const left = (await readdir(temporary)).filter((name) => name.startsWith('labelsmith'));
    assert.deepEqual(left, [], file);
  }
});

test('auto tells formats by what is in the files', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), JPEG);
  await runJson(['add', 'photos'], at);
  const box = { type: 'rectanglelabels', value: { x: 1, y: 1, width: 9, height: 9, rectanglelabels: ['cat'] } };
  const shape = {
    label: 'cat',
    points: [
      [1, 1],
      [9, 9],
    ],
    shape_type: 'rectangle',
  };
  const files = {
    coco: COCO,
    'label-studio': JSON.stringify([{ data: { image: 'a.jpg' }, annotations: [{ result: [box] }] }]),
    labelme: JSON.stringify({ imagePath: 'a.jpg', imageWidth: 160, imageHeight: 120, shapes: [shape] }),
  };
  for (const [format, text] of Object.entries(files)) {
    await writeFile(join(dir, 'x.json'), text);
    const found = await runJson<Imported>(['import', 'auto', 'x.json'], at);
    assert.deepEqual([found.format, found.matched], [format, 1]);
  }
});

/** What Python's `gzip`, `tarfile` and `open(…, encoding='utf-16')` write of the same labels. */
test('a plain tar, a packed file and UTF-16 are read as what is in them; a shard of WebDataset stays one', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), JPEG);
  await writeFile(join(dir, 'photos', 'b.jpg'), OTHER);
  await runJson(['add', 'photos'], at);
  const wide = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
  const files: Readonly<Record<string, Uint8Array>> = {
    'set.tar': await tarOf(members(YOLO)),
    'c.json.gz': gzipSync(COCO),
    't.csv.gz': gzipSync('file,class\na.jpg,cat\nb.jpg,dog\n'),
    'wide.json': wide(COCO),
    'big-end.json': wide(COCO).swap16(),
    'bare.json': Buffer.from(COCO, 'utf16le'),
    'wide.csv': wide('file,class\na.jpg,cat\nb.jpg,dog\n'),
    'packed-wide.csv.gz': gzipSync(wide('file,class\na.jpg,cat\n')),
    'classes.tar': await tarOf(members({ 'x/cat/a.jpg': JPEG, 'x/dog/b.jpg': OTHER })),
    'shard.tar': await tarOf(members({ 'a.jpg': JPEG, 'a.cls': 'cat', 'b.jpg': OTHER, 'b.cls': 'dog' })),
    'labelme.tgz': await tarGzOf(
      members({
        'a.jpg': JPEG,
        'a.json': JSON.stringify({
          imagePath: 'a.jpg',
          shapes: [
            {
              label: 'cat',
              points: [
                [1, 1],
                [9, 9],
              ],
              shape_type: 'rectangle',
            },
          ],
        }),
      }),
    ),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  const expected: Readonly<Record<string, readonly [format: string, matched: number, regions: number]>> = {
    'set.tar': ['yolo', 2, 2],
    'c.json.gz': ['coco', 1, 1],
    't.csv.gz': ['csv', 2, 0],
    'wide.json': ['coco', 1, 1],
    'big-end.json': ['coco', 1, 1],
    'bare.json': ['coco', 1, 1],
    'wide.csv': ['csv', 2, 0],
    'packed-wide.csv.gz': ['csv', 1, 0],
    'classes.tar': ['folders', 2, 0],
    'shard.tar': ['webdataset', 2, 0],
    'labelme.tgz': ['labelme', 1, 1],
  };
  for (const [name, want] of Object.entries(expected)) {
    const { format, matched, regions } = await runJson<Imported>(['import', 'auto', name], at);
    assert.deepEqual([format, matched, regions], want, name);
  }
});
