/** Photographs as phones and cameras write them: every command takes them, and finds in them what it finds in the JPEG. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { iou } from '../../src/core/boxes.ts';
import { runJson, scratch } from '../cli.ts';
import { NO_HEIF_ENC } from '../fixtures/heic.ts';
import { photographs } from '../fixtures/photographs.ts';
import { RAW_KINDS, rawFile } from '../fixtures/raw-files.ts';
import { filesUnder, imagesIn } from '../workspace.ts';

test('HEIC and camera raw files go the whole way', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'plain'), ['other_2.jpg']);
  const source = join(dir, 'plain/other_2.jpg');
  const jpeg = await sharp(source).resize(640, 480, { fit: 'fill' }).jpeg({ quality: 95 }).toBuffer();
  const thumbnail = await sharp(jpeg).resize(160).jpeg().toBuffer();
  const photos = join(dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'IMG_1.jpg'), jpeg);
  for (const [i, kind] of RAW_KINDS.entries()) {
    // The cameras were held in different ways; in RAF it is the JPEG that says so.
    const orientation = kind === 'raf' ? 1 : [1, 6, 8, 3][i % 4];
    const turned = await sharp(jpeg)
      .rotate({ 1: 0, 3: 180, 6: 270, 8: 90 }[orientation])
      .jpeg({ quality: 95 })
      .toBuffer();
    await writeFile(join(photos, `IMG_1.${kind}`), rawFile(kind, { jpeg: turned, thumbnail, orientation }));
  }
  if (NO_HEIF_ENC) {
    t.diagnostic(`no HEIC photograph in this test: ${NO_HEIF_ENC}`);
  } else {
    execFileSync('heif-enc', ['-q', '90', join(photos, 'IMG_1.jpg'), '-o', join(photos, 'IMG_1.heic')]);
  }
  const files = [...filesUnder(photos).keys()];
  const expected = 1 + RAW_KINDS.length + (NO_HEIF_ENC ? 0 : 1);
  assert.equal(files.length, expected);

  const added = await runJson(['add', 'photos'], { cwd: dir });
  assert.deepEqual([added.images, added.quarantined], [expected, 0]);
  const detected = await runJson(['detect'], { cwd: dir });
  assert.deepEqual([detected.detected, detected.quarantined], [expected, 0]);
  const embedded = await runJson<{ embedded: number }>(['embed'], { cwd: dir });
  assert.equal(embedded.embedded, expected);

  const images = await imagesIn(dir);
  const sure = images.get('IMG_1.jpg')!.regions.filter(({ score = 0 }) => score > 0.4);
  assert.ok(sure.length >= 3);
  for (const [file, { width, height, regions }] of images) {
    assert.deepEqual([width, height], [640, 480], file);
    for (const { box, labels } of sure) {
      const same = regions.filter((region) => region.labels[0]?.class === labels[0]?.class);
      const best = Math.max(0, ...same.map((region) => iou(region.box, box)));
      assert.ok(best > 0.85, `${file}: a ${labels[0]?.class} at ${box} has overlap ${best}`);
    }
  }

  await runJson(['export', 'coco', 'coco', '--images', 'copy'], { cwd: dir });
  for (const file of files) {
    const copy = readFileSync(join(dir, 'coco/images', file));
    assert.ok(copy.equals(readFileSync(join(photos, file))), `${file}: a copy has the original bytes and name`);
  }
  await runJson(['export', 'crops', 'crops', '--min-confidence', '0.5'], { cwd: dir });
  const crops = [...filesUnder(join(dir, 'crops')).keys()].filter((file) => file.endsWith('.jpg'));
  assert.ok(crops.length >= expected);
  for (const crop of crops) assert.equal((await sharp(join(dir, 'crops', crop)).metadata()).format, 'jpeg');
  await runJson(['report', 'report.html'], { cwd: dir });
  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  for (const file of files) assert.ok(page.includes(`data-file="${file}"`), `${file} is shown in the report`);
});
