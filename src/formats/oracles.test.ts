/**
 * Label files against readers of others: `test/oracles/label_files.py` writes them and what pycocotools, supervision,
 * labelme and Pillow make of them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inTemporaryFolder, readAll, writeFiles } from '../../test/contracts/format.ts';
import { regionsInside } from '../stages/import/frame.ts';
import type { FormatName } from './format.ts';
import { Reckoning } from './reckoning.ts';
import { maskArea } from './rle.ts';

interface Fixture {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly {
    readonly what: string;
    readonly format: FormatName;
    readonly files: Readonly<Record<string, string>>;
    readonly boxes: readonly (readonly number[])[];
    readonly areas?: readonly number[];
  }[];
  readonly turns: readonly {
    readonly orientation: number;
    readonly stored: readonly [number, number, number, number];
    readonly upright: readonly number[];
  }[];
}

const path = new URL('../../test/fixtures/label-files.json', import.meta.url);
const { width, height, cases, turns } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

describe('what other readers make of label files', () => {
  for (const { what, format, files, boxes, areas } of cases)
    it(what, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, files);
        const reckoning = new Reckoning();
        const images = await readAll(format, folder, { reckoning });
        const regions = images.flatMap((image) => regionsInside(image, { width, height, orientation: 1 }, reckoning));
        const got = regions.map(({ box }) => [...box]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        assert.equal(got.length, boxes.length);
        for (const [i, box] of boxes.entries())
          for (const [k, edge] of box.entries()) assert.ok(Math.abs(got[i][k] - edge) < 0.002, `${got[i]} for ${box}`);
        const masks = regions.flatMap(({ mask }) => (mask === null ? [] : [maskArea(mask)]));
        assert.deepEqual(masks, areas ?? []);
        assert.equal(reckoning.count('left out'), 0);
      }),
    );

  for (const { orientation, stored, upright } of turns)
    it(`a box of stored pixels of EXIF orientation ${orientation}`, () => {
      const shapes = { score: null, labels: [], mask: null, polygons: null, keypoints: null, crowd: false };
      const region = { ...shapes, box: stored, unit: 'pixels' as const };
      const entry = { file: 'a', width, height, labels: [], regions: [region], where: 'x', split: null };
      const image = { width: height, height: width, orientation };
      assert.deepEqual(regionsInside(entry, image, new Reckoning())[0].box, upright);
    });
});
