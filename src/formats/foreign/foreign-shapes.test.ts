/** What a line of a table of layouts does not show: masks pixel by pixel, all polygons of a region, confidences of images' classes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { inTemporaryFolder, readAll, writeFiles } from '../../../test/contracts/format.ts';
import type { ImportedImage } from '../../core/dataset.ts';
import type { ReaderName } from '../format.ts';
import { Reckoning } from '../reckoning.ts';

async function imageIn(format: ReaderName, name: string, value: unknown): Promise<ImportedImage> {
  const images: ImportedImage[] = [];
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { [name]: JSON.stringify(value) });
    images.push(...(await readAll(format, join(folder, name), { reckoning: new Reckoning() })));
  });
  assert.equal(images.length, 1);
  return images[0];
}

it("supervisely: a bitmap's pixels are at its origin", async () => {
  // X.
  // XX at (2, 1) of an image of 5 × 4: column-major, zeros first, 2 columns of 4 and 1 pixel above.
  const data = await sharp(Buffer.from([255, 0, 255, 255]), { raw: { width: 2, height: 2, channels: 1 } })
    .png()
    .toBuffer();
  const { regions } = await imageIn('supervisely', 'a.jpg.json', {
    size: { width: 5, height: 4 },
    tags: [],
    objects: [
      {
        classTitle: 'cow',
        geometryType: 'bitmap',
        bitmap: { origin: [2, 1], data: deflateSync(data).toString('base64') },
      },
    ],
  });
  assert.deepEqual(regions[0].mask, { size: [4, 5], counts: [9, 2, 3, 1, 5] });
});

it('datumaro: a mask has height before width', async () => {
  const { regions } = await imageIn('datumaro', 'train.json', {
    categories: { label: { labels: [{ name: 'cat' }] } },
    items: [
      { id: 'a', annotations: [{ type: 'mask', label_id: 0, group: 0, rle: { counts: [5, 2, 5], size: [4, 3] } }] },
    ],
  });
  assert.deepEqual(regions[0].mask, { size: [4, 3], counts: [5, 2, 5] });
  assert.deepEqual(regions[0].box, [1, 1, 2, 3]);
});

it('darwin, bdd100k: all outlines of an object are one region', async () => {
  const [one, other] = [
    [1, 2, 9, 2, 9, 8],
    [20, 20, 30, 20, 30, 30],
  ];
  const pairs = (flat: readonly number[]) => [0, 2, 4].map((i) => [flat[i], flat[i + 1]]);
  const points = (flat: readonly number[]) => pairs(flat).map(([x, y]) => ({ x, y }));
  const darwin = await imageIn('darwin', 'a.json', {
    item: { name: 'a.jpg', slots: [] },
    annotations: [{ name: 'cat', polygon: { paths: [points(one), points(other)] } }],
  });
  const bdd100k = await imageIn('bdd100k', 'a.json', [
    { name: 'a.jpg', labels: [{ category: 'cat', poly2d: [{ vertices: pairs(one) }, { vertices: pairs(other) }] }] },
  ]);
  for (const { regions } of [darwin, bdd100k]) {
    assert.equal(regions.length, 1);
    assert.deepEqual(regions[0].polygons, [one, other]);
  }
});

it('ground-truth: several classes of an image come with the confidences of a machine, and without those of people', async () => {
  const row = (human: string) => ({
    'source-ref': 's3://bucket/c.jpg',
    kinds: [0, 1],
    'kinds-metadata': {
      'class-map': { 0: 'dog', 1: 'cat' },
      'confidence-map': { 0: 0.8, 1: 0.6 },
      'human-annotated': human,
      type: 'groundtruth/image-classification-multilabel',
    },
  });
  for (const [human, confidences] of [
    ['no', [0.8, 0.6]],
    ['yes', [null, null]],
  ] as const) {
    const { labels } = await imageIn('ground-truth', 'a.manifest', row(human));
    assert.deepEqual(
      labels.map(({ confidence }) => confidence),
      confidences,
    );
  }
});
