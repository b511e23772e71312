/**
 * A damaged file among several of a folder, for every format that has a file an image, a part or a split: the others come, and
 * the damaged one is told with its name.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pack } from 'tar-stream';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from '../../test/contracts/format.ts';
import { FOREIGN_FILES } from '../../test/fixtures/foreign-files.ts';
import { jpegScene } from '../../test/fixtures/images.ts';
import type { ForeignName, ReaderName } from './format.ts';
import { Reckoning } from './reckoning.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** The small file of a format, as one of several: its own name in place of `a`. */
function foreignFile(format: ForeignName, stem: string): Files {
  return Object.fromEntries(
    Object.entries(FOREIGN_FILES[format]).map(([path, content]) => [
      path.replace(/(?<![a-z])a(?![a-z])|(?<=\/)train(?=\.json)|(?<=_)val(?=_)/g, stem),
      content.replaceAll('a.jpg', `${stem}.jpg`).replace('"id": "a"', `"id": "${stem}"`),
    ]),
  );
}

async function tarOf(members: Files): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, content] of Object.entries(members)) tar.entry({ name }, Buffer.from(content));
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const coco = (stem: string) =>
  JSON.stringify({
    images: [{ id: 1, file_name: `${stem}.jpg`, width: 100, height: 80 }],
    categories: [{ id: 1, name: 'cat' }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 2, 3, 4] }],
  });
const splitOf = (stem: string) => ({ a: 'train', b: 'val', c: 'test' })[stem] ?? stem;

/** One file of several, and what else lies in the folder. */
const OWN: Readonly<Partial<Record<ReaderName, (stem: string) => Files | Promise<Files>>>> = {
  coco: (stem) => ({ [`annotations/instances_${splitOf(stem)}.json`]: coco(stem) }),
  voc: (stem) => ({
    [`Annotations/${stem}.xml`]: `<annotation><filename>${stem}.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>`,
  }),
  labelme: (stem) => ({
    [`${stem}.json`]: JSON.stringify({
      shapes: [
        {
          label: 'cat',
          points: [
            [1, 2],
            [3, 4],
          ],
          shape_type: 'rectangle',
        },
      ],
      imagePath: `${stem}.jpg`,
    }),
  }),
  cvat: (stem) => ({
    [`${splitOf(stem)}.xml`]: `<annotations><image id="0" name="${stem}.jpg" width="9" height="8"><box label="cat" xtl="1" ytl="2" xbr="3" ybr="4"/></image></annotations>`,
  }),
  'label-studio': (stem) => ({
    [`${stem}.json`]: JSON.stringify([
      {
        data: { image: `/${stem}.jpg` },
        annotations: [{ result: [{ from_name: 'c', to_name: 'image', type: 'choices', value: { choices: ['cat'] } }] }],
      },
    ]),
  }),
  xmp: (stem) => ({
    [`${stem}.jpg.xmp`]: `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>cat</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>`,
  }),
  webdataset: async (stem) => ({ [`${stem}.tar`]: await tarOf({ [`${stem}.jpg`]: 'bytes', [`${stem}.cls`]: 'cat' }) }),
  yolo: (stem) => ({ 'classes.txt': 'cat\n', [`labels/${stem}.txt`]: '0 0.5 0.5 0.25 0.25\n' }),
  csv: (stem) => ({ [`${splitOf(stem)}_labels.csv`]: `filename,class\n${stem}.jpg,cat\n` }),
  hf: (stem) => ({ [`${splitOf(stem)}/metadata.csv`]: `file_name,label\n${stem}.jpg,cat\n` }),
};
const FOREIGN = Object.keys(FOREIGN_FILES) as ForeignName[];
const NAMES = [...(Object.keys(OWN) as ReaderName[]), ...FOREIGN];

/** Half a row of text is a row still. */
const ROWS = new Set<ReaderName>(['yolo', 'csv', 'hf', 'dota', 'kitti', 'wider-face']);

const filesOf = async (format: ReaderName, stem: string): Promise<Files> =>
  OWN[format]?.(stem) ?? foreignFile(format as ForeignName, stem);

async function assertLeftOut(format: ReaderName, damage: (content: Buffer) => Buffer): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const whole = { ...(await filesOf(format, 'a')), ...(await filesOf(format, 'c')) };
    const damaged = Object.entries(await filesOf(format, 'b')).filter(([path]) => !(path in whole));
    assert.equal(damaged.length, 1);
    const [[name, content]] = damaged as [[string, string | Uint8Array]];
    await writeFiles(folder, { ...whole, [name]: damage(Buffer.from(content)) });
    const reckoning = new Reckoning();
    const images = await readAll(format, folder, { reckoning });
    const named = (stem: string) =>
      images.filter(({ file }) => new RegExp(`(?:^|/)${stem}(?:\\.jpg|_leftImg8bit)?$`).test(file)).length;
    assert.deepEqual([named('a'), named('b'), named('c')], [1, 0, 1], images.map(({ file }) => file).join());
    const told = toldOf(reckoning).filter((line) => line.includes(name));
    assert.ok(told.length > 0, `${name} in ${toldOf(reckoning).join('\n')}`);
    assert.ok(reckoning.count('left out') > 0, 'so that --strict refuses it');
  });
}

describe('a damaged file among several', () => {
  for (const format of NAMES) {
    if (!ROWS.has(format))
      it(`${format}: cut off`, () =>
        assertLeftOut(format, (content) => content.subarray(0, Math.floor(content.length / 2))));
    it(`${format}: a picture under its name`, async () => {
      const picture = await jpegScene(32, 24);
      await assertLeftOut(format, () => picture);
    });
  }

  it('parquet: cut off', () =>
    inTemporaryFolder(async (folder) => {
      const table = await readFile(join(import.meta.dirname, '../../test/fixtures/parquet-pandas.parquet'));
      await writeFiles(folder, {
        'test.parquet': table,
        'train.parquet': table.subarray(0, 200),
        'val.parquet': table,
      });
      const reckoning = new Reckoning();
      const images = await readAll('parquet', folder, { reckoning });
      assert.deepEqual([...new Set(images.map(({ split }) => split))], ['test', 'val']);
      assert.match(toldOf(reckoning).join('\n'), /file-unreadable: train\.parquet/);
    }));

  it('webdataset: a shard cut off between two files', () =>
    inTemporaryFolder(async (folder) => {
      const tar = await tarOf({ 'a.jpg': 'x', 'a.cls': 'cat', 'b.jpg': 'x', 'b.cls': 'cat' });
      await writeFiles(folder, { 'a.tar': tar.subarray(0, 512 * 4) });
      const reckoning = new Reckoning();
      assert.equal((await readAll('webdataset', folder, { reckoning })).length, 1);
      assert.match(toldOf(reckoning).join('\n'), /archive-without-end: a\.tar: the last in it is a\.cls/);
    }));

  it('says how much of a file was read before the damage', () =>
    inTemporaryFolder(async (folder) => {
      const tar = await tarOf({
        'a.jpg': 'x',
        'a.cls': 'cat',
        'b.jpg': 'x',
        'b.cls': 'cat',
        'c.jpg': 'x',
        'c.cls': 'cat',
      });
      await writeFiles(folder, { 'a.tar': tar.subarray(0, 512 * 7 + 3), 'b.tar': tar });
      const reckoning = new Reckoning();
      assert.equal((await readAll('webdataset', folder, { reckoning })).length, 4);
      assert.match(toldOf(reckoning).join('\n'), /a\.tar.*1 before that were read/);
    }));
});
