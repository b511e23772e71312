/** Masks as pictures: files and the parts that scipy finds in them are made by test/oracles/mask_pictures.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from '../../../test/contracts/format.ts';
import type { ImportedImage } from '../../core/dataset.ts';
import { Reckoning } from '../reckoning.ts';
import { maskArea } from '../rle.ts';
import { guessFormat } from '../table.ts';

interface Fixture {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly {
    readonly what: string;
    readonly text: Readonly<Record<string, string>>;
    readonly pictures: Readonly<Record<string, string>>;
    readonly parts: readonly Part[];
  }[];
  readonly cityscapes: Readonly<
    Record<
      'labelIds' | 'instanceIds',
      { readonly picture: string; readonly crowd?: string; readonly parts: readonly Part[] }
    >
  >;
}

type Part = readonly [className: string, box: readonly number[], pixels: number];

const path = new URL('../../../test/fixtures/mask-pictures.json', import.meta.url);
const { width, height, cases, cityscapes } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
const decoded = (pictures: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(pictures).map(([name, base64]) => [name, Buffer.from(base64, 'base64')]));

const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
const partsIn = ({ regions }: ImportedImage): Part[] =>
  regions.map(({ labels: [label], box, mask }) => {
    assert.deepEqual(mask?.size, [height, width]);
    return [label.className, box, mask === null ? 0 : maskArea(mask)];
  });

describe('masks as pictures', () => {
  for (const { what, text, pictures, parts } of cases)
    it(what, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { ...text, ...decoded(pictures), 'ImageSets/Segmentation/val.txt': 'a\n' });
        assert.equal(await guessFormat(folder), 'voc');
        const reckoning = new Reckoning();
        const [image, ...others] = await readAll('voc', folder, { reckoning });
        assert.deepEqual([others.length, image.file, image.split], [0, 'a', 'val']);
        assert.deepEqual([image.width, image.height], [width, height]);
        assert.deepEqual(sorted(partsIn(image)), sorted(parts));
        assert.deepEqual(toldOf(reckoning), []);
      }),
    );

  it("reads Roboflow's masks beside their pictures, with _classes.csv in the folder of the split", () =>
    inTemporaryFolder(async (folder) => {
      const grey = cases.find(({ what }) => what.startsWith('greys,'));
      await writeFiles(folder, {
        'train/a_jpg.rf.0a.jpg': '',
        'train/a_jpg.rf.0a_mask.png': Buffer.from(grey?.pictures['masks/a.png'] ?? '', 'base64'),
        'train/_classes.csv': 'Pixel Value, Class\n0, background\n1, cat\n2, dog\n',
      });
      assert.equal(await guessFormat(folder), 'voc');
      const reckoning = new Reckoning();
      const [image] = await readAll('voc', folder, { reckoning });
      assert.deepEqual([image.file, image.split], ['train/a_jpg.rf.0a', 'train']);
      assert.deepEqual(sorted(partsIn(image)), sorted(grey?.parts ?? []));
      assert.deepEqual(toldOf(reckoning), []);
    }));

  for (const kind of ['labelIds', 'instanceIds'] as const)
    it(`reads ${kind} of Cityscapes`, () =>
      inTemporaryFolder(async (folder) => {
        const { picture, parts, crowd } = cityscapes[kind];
        const name = `gtFine/val/ulm/ulm_0_1_gtFine_${kind}.png`;
        await writeFiles(folder, { [name]: Buffer.from(picture, 'base64') });
        assert.equal(await guessFormat(folder), 'cityscapes');
        const [image] = await readAll('cityscapes', folder);
        assert.deepEqual([image.file, image.split], ['leftImg8bit/val/ulm/ulm_0_1_leftImg8bit', 'val']);
        assert.deepEqual(sorted(partsIn(image)), sorted(parts));
        const crowds = image.regions.filter((region) => region.crowd).map(({ labels: [label] }) => label.className);
        assert.deepEqual(crowds, crowd === undefined ? [] : [crowd]);
      }));

  it('says in one sentence what is missing where nothing names the classes, and which colours have no name', async () => {
    const [coloured] = cases;
    const grey = cases.find(({ what }) => what.startsWith('greys'));
    await inTemporaryFolder(async (folder) => {
      await writeFiles(join(folder, 'grey'), decoded(grey?.pictures ?? {}));
      const reckoning = new Reckoning();
      await readAll('voc', join(folder, 'grey'), { reckoning });
      assert.match(
        toldOf(reckoning).join('\n'),
        /^file-unreadable: masks\/a\.png: nothing says which class the numbers/,
      );
      const named = await readAll('voc', join(folder, 'grey'), { classNames: ['cat', 'dog'] });
      assert.equal(named[0].regions.length, grey?.parts.length);
      await writeFiles(join(folder, 'some'), { ...decoded(coloured.pictures), 'labelmap.txt': 'cat:250,50,83::\n' });
      const some = new Reckoning();
      const [image] = await readAll('voc', join(folder, 'some'), { reckoning: some });
      assert.ok(image.regions.every(({ labels: [label] }) => label.className === 'cat'));
      assert.deepEqual(toldOf(some), [
        'object-of-no-class: SegmentationClass/a.png: no class has the colour 51,221,255',
      ]);
    });
  });
});
