import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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
import { maskArea } from '../rle.ts';

const PYTHON = '/usr/bin/python3';

const wrap = (inside: string) =>
  `<?xml version="1.0"?><annotations><version>1.1</version>\n<image id="0" name="a.jpg" width="1600" height="1200">\n${inside}\n</image></annotations>`;

describe('cvat', () => {
  it("Python's XML reader sees the shapes", {
    skip: existsSync(PYTHON) ? false : `no ${PYTHON} to read it with`,
  }, async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('cvat', out, streamOf(images), contextFor(images, seeds));
      const script = `
import sys, json, xml.etree.ElementTree as T
root = T.parse(sys.argv[1]).getroot()
print(json.dumps([[i.attrib["name"], [[s.tag, s.attrib["label"], s.attrib.get("xtl"), s.attrib.get("ybr"), s.attrib.get("points")] for s in i]] for i in root.iter("image")]))`;
      const { stdout, stderr } = spawnSync(PYTHON, ['-c', script, join(out, 'annotations.xml')], { encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(stdout), [
        [
          images[0]?.file,
          [
            ['tag', 'dog', null, null, null],
            ['tag', 'zebra fish', null, null, null],
            ['box', 'dog', '10', '70.5', null],
            ['box', 'zebra fish', '0', '50', null],
            ['polygon', 'zebra fish', null, null, '0,0;50,0;50,50'],
          ],
        ],
        ['b.png', []],
      ]);
    });
  });

  it("reads the shapes of CVAT's manual", async () => {
    // The mask is the example of docs.cvat.ai/docs/other/xml_format: a round spot of 13×15 pixels.
    const shapes = `<box label="plate" xtl="797.33" ytl="870.92" xbr="965.52" ybr="928.94" occluded="0" z_order="4"></box>
<polygon label="car" points="561.30,916.23;561.30,842.77;554.72,761.63" occluded="0"/>
<skeleton label="s" z_order="0"><points label="1" outside="0" occluded="1" points="54.47,94.81"/><points label="3" outside="1" occluded="0" points="125.87,62.85"/></skeleton>
<mask label="car" source="manual" occluded="0" rle="3, 5, 7, 7, 5, 9, 3, 11, 2, 11, 2, 12, 1, 12, 1, 26, 1, 12, 1, 12, 2, 11, 3, 9, 5, 7, 7, 5, 3" left="707" top="888" width="13" height="15" z_order="0"></mask>
<tag label="good frame" source="manual"/>
<ellipse label="e" cx="100" cy="100" rx="20" ry="10" rotation="90"/>
<box label="turned" xtl="0" ytl="0" xbr="20" ybr="10" rotation="90"/>`;
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'annotations.xml': wrap(shapes) });
      const [image] = await readAll('cvat', folder);
      assert.deepEqual([image?.width, image?.height, image?.file], [1600, 1200, 'a.jpg']);
      assert.equal(image?.labels[0]?.className, 'good frame');
      const [plate, car, skeleton, mask, ellipse, turned] = image?.regions ?? [];
      assert.deepEqual(plate?.box, [797.33, 870.92, 965.52, 928.94]);
      assert.deepEqual(car?.box, [554.72, 761.63, 561.3, 916.23]);
      assert.deepEqual(skeleton?.keypoints, [
        [54.47, 94.81, 1],
        [125.87, 62.85, 0],
      ]);
      assert.deepEqual(mask?.box, [707, 888, 720, 903]);
      const counts = [5, 7, 9, 11, 11, 12, 12, 26, 12, 12, 11, 9, 7, 5];
      assert.equal(
        maskArea(mask?.mask as NonNullable<typeof mask.mask>),
        counts.reduce((a, b) => a + b),
      );
      assert.deepEqual(ellipse?.box, [90, 80, 110, 120]);
      assert.deepEqual(turned?.box.map(Math.round), [5, -5, 15, 15]);
    });
  });
});

const files = (inside: string) => ({ 'annotations.xml': wrap(inside) });
const path = 'annotations.xml';

brokenFiles('cvat', [
  { what: 'cut', files: { [path]: wrap('').slice(0, 90) }, path, message: /annotations\.xml:\d+: not valid XML/ },
  {
    what: 'another root',
    files: { [path]: '<annotation/>' },
    path,
    message: /annotations\.xml:1: <annotations> was expected/,
  },
  {
    what: 'no corner',
    files: files('<box label="a" xtl="1" ytl="1" xbr="2"/>'),
    path,
    message: /xml:3: there is no ybr/,
  },
  {
    what: 'NaN',
    files: files('<box label="a" xtl="NaN" ytl="1" xbr="2" ybr="3"/>'),
    path,
    message: /xml:3 xtl: a finite number was expected, not "NaN"/,
  },
  {
    what: 'a negative size',
    files: files('<box label="a" xtl="5" ytl="1" xbr="2" ybr="3"/>'),
    path,
    message: /xml:3: \[5,1,2,3\]$/,
  },
  { what: 'no label', files: files('<tag/>'), path, message: /xml:3 label: text was expected/ },
  {
    what: 'a point of one number',
    files: files('<polygon label="a" points="1,2;3"/>'),
    path,
    message: /xml:3 points: x,y was expected, not "3"/,
  },
  {
    what: 'a mask whose runs do not add up, which is filled up',
    files: files('<mask label="a" rle="1, 2" left="0" top="0" width="2" height="2"/>'),
    path,
    message: /xml:3: the runs add up to 3 pixels, and the mask is 2×2/,
  },
  {
    what: 'a mask outside',
    files: files('<mask label="a" rle="0, 4" left="1599" top="0" width="2" height="2"/>'),
    path,
    message: /xml:3: 2×2 pixels at 1599, 0$/,
  },
  {
    what: 'a mask in an image without a size',
    files: {
      [path]:
        '<annotations><image name="a">\n<mask label="a" rle="0, 4" left="0" top="0" width="2" height="2"/></image></annotations>',
    },
    path,
    message: /xml:2: a mask needs the width and height of its image/,
  },
  {
    what: 'an image without a name',
    files: { [path]: '<annotations><image id="0"><tag label="a"/></image></annotations>' },
    path,
    message: /xml:1 name: text was expected, not nothing/,
  },
]);
