import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  contextFor,
  hashesBelow,
  inTemporaryFolder,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import fc from '../../../test/properties.ts';
import type { Box } from '../../core/boxes.ts';
import { exportDataset } from '../../stages/export/write.ts';
import { vocBox } from './voc.ts';

describe('voc', () => {
  it('writes what the format says, byte for byte', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('voc', out, streamOf(images), contextFor(images, seeds, { images: 'copy' }));
      assert.deepEqual(Object.keys(await hashesBelow(out)).sort(), [
        'Annotations/b.xml',
        'Annotations/day 1/a.xml',
        'ImageSets/Main/default.txt',
        'JPEGImages/b.png',
        'JPEGImages/day 1/a.jpg',
      ]);
      // [10, 20, 110, 70.5]: pixels 11 to 110 and 21 to 71, counted from 1.
      assert.equal(
        await readFile(join(out, 'Annotations/day 1/a.xml'), 'utf8'),
        `<annotation>
	<folder>JPEGImages</folder>
	<filename>day 1/a.jpg</filename>
	<source>
		<database>Labelsmith 0.0.0-test</database>
	</source>
	<size>
		<width>200</width>
		<height>100</height>
		<depth>3</depth>
	</size>
	<segmented>1</segmented>
	<object>
		<name>dog</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>0</difficult>
		<bndbox>
			<xmin>11</xmin>
			<ymin>21</ymin>
			<xmax>110</xmax>
			<ymax>71</ymax>
		</bndbox>
	</object>
	<object>
		<name>zebra fish</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>0</difficult>
		<bndbox>
			<xmin>1</xmin>
			<ymin>1</ymin>
			<xmax>50</xmax>
			<ymax>50</ymax>
		</bndbox>
	</object>
</annotation>
`,
      );
    });
  });

  it('counts from (1, 1): the top-left pixel alone is 1, 1, 1, 1', () => {
    assert.deepEqual(vocBox([0, 0, 1, 1], 10, 10), [1, 1, 1, 1]);
    assert.deepEqual(vocBox([0, 0, 10, 10], 10, 10), [1, 1, 10, 10]);
    assert.deepEqual(vocBox([9.9, 9.9, 10, 10], 10, 10), [10, 10, 10, 10]);
    assert.equal(vocBox([10, 0, 12, 5], 10, 10), null);
    assert.deepEqual(vocBox([0, 0.667, 10, 0.677], 10, 2), [1, 1, 10, 1], 'less than a pixel is the pixel it is in');
    const edge = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(edge, edge, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const written = vocBox([from, 0, to, 1], 20, 1);
        if (written === null) return;
        const [x1, , x2] = written;
        assert.ok(
          Math.abs(x1 - 1 - from) <= 1 && Math.abs(x2 - to) <= 1 && x1 >= 1 && x2 <= 20,
          `${from} to ${to}: ${written}`,
        );
      }),
      { numRuns: 2000, seed: 1 },
    );
    fc.assert(
      fc.property(fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50), fc.nat(50)), ([a, b, c, d]) => {
        const box: Box = [Math.min(a, c), Math.min(b, d), Math.max(a, c) + 1, Math.max(b, d) + 1];
        assert.deepEqual(vocBox(box, 51, 51), [box[0] + 1, box[1] + 1, box[2], box[3]]);
      }),
    );
  });

  it('reads what other tools write: parts, CDATA, corners of 0, fractions, no size, names with folders left out', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, {
        'Annotations/sub/x.xml': `\ufeff<?xml version="1.0"?><annotation verified="yes"><filename>x.jpg</filename>
          <size><width>0</width><height>0</height></size>
          <object><part><name>head</name><bndbox><xmin>5</xmin></bndbox></part><name><![CDATA[a&b]]></name>
          <bndbox><ymax>40.5</ymax><ymin>0</ymin><xmax>30</xmax><xmin>0</xmin></bndbox></object></annotation>`,
        'Annotations/y.xml': '<annotation/>',
        'ImageSets/Main/val.txt': 'sub/x\r\n',
        'ImageSets/Main/cat_train.txt': 'y  -1\n',
      });
      const [y, x] = await readAll('voc', folder);
      assert.deepEqual([x?.file, x?.split, x?.width, x?.regions.length], ['sub/x.jpg', 'val', null, 1]);
      assert.deepEqual([x?.regions[0]?.labels[0]?.className, x?.regions[0]?.box], ['a&b', [0, 0, 30, 40.5]]);
      assert.deepEqual([y?.file, y?.split, y?.regions], ['y', null, []]);
    });
  });

  it('writes control characters of class names as U+FFFD, and everything else as it is', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const className = 'a\u0001\ud800b <&>"\'\t\n ';
      const region = images[0]?.regions[0];
      const named = images.map((image) => ({
        ...image,
        labels: [],
        regions: region && image === images[0] ? [{ ...region, labels: [{ ...region.labels[0], className }] }] : [],
      })) as typeof images;
      await exportDataset('voc', join(folder, 'o'), streamOf(named), contextFor(named, seeds));
      const read = (await readAll('voc', join(folder, 'o'))).flatMap((image) => image.regions);
      assert.equal(read[0]?.labels[0]?.className, 'a\ufffd\ufffdb <&>"\'', 'blanks at the ends are no part of a name');
    });
  });
});

const object = (inside: string) => ({
  'x.xml': `<annotation>\n<filename>x.jpg</filename>\n<object>${inside}</object>\n</annotation>`,
});
const box = (xmin: string, ymin: string, xmax: string, ymax: string) =>
  `<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>`;
brokenFiles('voc', [
  { what: 'an empty file', path: 'x.xml', files: { 'x.xml': '' }, message: /^x\.xml: the file is empty/ },
  {
    what: 'a cut file',
    path: 'x.xml',
    files: { 'x.xml': '<annotation>\n<object>\n<name>a</na' },
    message: /^x\.xml:3: not valid XML/,
  },
  {
    what: 'another root',
    path: 'x.xml',
    files: { 'x.xml': '<html></html>' },
    message: /^x\.xml:1: <annotation> was expected, not <html>/,
  },
  {
    what: 'entities of its own',
    path: 'x.xml',
    files: { 'x.xml': '<!DOCTYPE a [<!ENTITY x "y">]><annotation><filename>&x;</filename></annotation>' },
    message: /^x\.xml:1: not valid XML: undefined entity/,
  },
  {
    what: 'no name',
    path: 'x.xml',
    files: object(box('1', '1', '2', '2')),
    message: /^x\.xml:3: the object has no name/,
  },
  {
    what: 'an empty name',
    path: 'x.xml',
    files: object(`<name> </name>${box('1', '1', '2', '2')}`),
    message: /^x\.xml:3 name: the class name is empty/,
  },
  {
    what: 'no box',
    path: 'x.xml',
    files: object('<name>a</name>'),
    message: /^x\.xml:3: the object has no bndbox xmin/,
  },
  {
    what: 'a negative size',
    path: 'x.xml',
    files: object(`<name>a</name>${box('9', '1', '2', '2')}`),
    message: /^x\.xml:3: \[9,1,2,2\]$/,
  },
  {
    what: 'NaN',
    path: 'x.xml',
    files: object(`<name>a</name>${box('NaN', '1', '2', '2')}`),
    message: /^x\.xml:3 xmin: a finite number was expected, not "NaN"/,
  },
  {
    what: 'a negative image',
    path: 'x.xml',
    files: { 'x.xml': '<annotation><size><width>-5</width></size></annotation>' },
    message: /^x\.xml size width: -5$/,
  },
  { what: 'a folder without XML', path: '.', files: { 'x.txt': '' }, message: /there are no XML files in it/ },
]);
