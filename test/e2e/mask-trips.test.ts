/** Masks that a person drew inside boxes, out and in again through the formats that people correct in. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';

const [WIDTH, HEIGHT] = [80, 60];

/** COCO's uncompressed counts, column by column, of a rectangle of pixels. */
function rectangle(left: number, top: number, right: number, bottom: number): number[] {
  const high = bottom - top;
  const counts = [left * HEIGHT + top];
  for (let x = left; x < right - 1; x++) counts.push(high, HEIGHT - high);
  return [...counts, high, HEIGHT - bottom + HEIGHT * (WIDTH - right)];
}

interface Annotation {
  readonly bbox: readonly number[];
  readonly segmentation: readonly (readonly number[])[] | { readonly counts: unknown };
}

async function annotationsIn(cwd: string): Promise<Annotation[]> {
  await runJson(['export', 'coco', 'state', '--images', 'none', '--replace'], { cwd });
  const { annotations } = JSON.parse(await readFile(join(cwd, 'state', 'annotations.json'), 'utf8'));
  return annotations.map(({ bbox, segmentation }: Annotation) => ({ bbox, segmentation }));
}

test('a mask smaller than its box stays one region with it, in the same workspace and in another', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), await jpegScene(WIDTH, HEIGHT));
  const common = { image_id: 1, category_id: 1, iscrowd: 0 };
  const drawn = [
    { ...common, id: 1, bbox: [5, 5, 30, 40], area: 375, segmentation: [[10, 10, 25, 10, 25, 35, 10, 35]] },
    {
      ...common,
      id: 2,
      bbox: [40, 10, 35, 45],
      area: 600,
      segmentation: { size: [HEIGHT, WIDTH], counts: rectangle(45, 15, 65, 45) },
    },
  ];
  const images = [{ id: 1, file_name: 'a.jpg', width: WIDTH, height: HEIGHT }];
  const coco = { images, annotations: drawn, categories: [{ id: 1, name: 'cup' }] };
  await writeFile(join(dir, 'drawn.json'), JSON.stringify(coco));
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['import', 'coco', 'drawn.json', '--as', 'human'], { cwd: dir });
  const before = await annotationsIn(dir);
  assert.deepEqual(before.map(({ bbox }) => bbox).sort(), drawn.map(({ bbox }) => bbox).sort());
  for (const { segmentation } of before)
    assert.ok(Array.isArray(segmentation) ? segmentation.length === 1 : segmentation);

  for (const format of ['coco', 'cvat', 'label-studio']) {
    const out = join(dir, `out-${format}`);
    await runJson(['export', format, out], { cwd: dir });
    const other = join(dir, `other-${format}`);
    await mkdir(other);
    await runJson(['add', join(dir, 'photos')], { cwd: other });
    for (const cwd of [dir, other]) {
      await runJson(['import', format, out, '--as', 'human'], { cwd });
      assert.deepEqual(await annotationsIn(cwd), before, `${format}, ${cwd === dir ? 'here' : 'elsewhere'}`);
    }
  }
});
