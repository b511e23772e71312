/** Detection quality: the command line against tfjs WASM on the same weights, images and evaluator. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Box, clipBox } from '../src/core/boxes.ts';
import { COCO_CLASSES } from '../src/core/coco-classes.ts';
import { DetectionEvaluation } from '../src/math/metrics/detection.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded, timed } from './process.ts';

export function run(): Promise<unknown> {
  const set = dataSet('coco-train128');
  return inScratch(async (dir) => {
    const models: Record<string, unknown> = {};
    await labelsmith(['add', join(set, 'images')], dir);
    for (const model of ['centernet', 'nanodet']) {
      await labelsmith(['detect', '--model', model], dir);
      const { stdout } = await labelsmith(['evaluate', join(set, 'instances.json')], dir);
      models[model] = (JSON.parse(stdout) as { detection: unknown }).detection;
    }
    return { labelsmith: models, tfjsWasm: { centernet: await tfjs(set) } };
  });
}

interface Instances {
  readonly images: { id: number; file_name: string; width: number; height: number }[];
  readonly annotations: {
    image_id: number;
    category_id: number;
    bbox: [number, number, number, number];
    area: number;
    iscrowd: number;
  }[];
}

async function tfjs(set: string): Promise<unknown> {
  const script = resolve(import.meta.dirname, 'tfjs-detector.ts');
  const { stdout } = await timed(script, [join(set, 'images')], process.cwd());
  const { candidates } = JSON.parse(stdout) as { candidates: Record<string, number[][]> };
  const { images, annotations } = JSON.parse(readFileSync(join(set, 'instances.json'), 'utf8')) as Instances;
  const indexOf = new Map(COCO_CLASSES.map(([id], index) => [id, index]));
  const evaluation = new DetectionEvaluation();
  for (const [order, image] of images.entries()) {
    const truth = annotations.filter(({ image_id }) => image_id === image.id);
    // Cut to the image, as Labelsmith does: what lies outside can only lower the overlap.
    const found = (candidates[image.file_name] ?? []).map(([x1, y1, x2, y2, ...rest]) => [
      ...clipBox([x1, y1, x2, y2] as unknown as Box, image.width, image.height),
      ...rest,
    ]);
    evaluation.add(
      order,
      {
        count: truth.length,
        boxes: Float64Array.from(truth.flatMap(({ bbox: [x, y, w, h] }) => [x, y, x + w, y + h])),
        areas: Float64Array.from(truth.map(({ area }) => area)),
        classes: Int32Array.from(truth.map(({ category_id }) => indexOf.get(category_id) as number)),
        crowds: Uint8Array.from(truth.map(({ iscrowd }) => iscrowd)),
      },
      {
        count: found.length,
        boxes: Float32Array.from(found.flatMap((row) => row.slice(0, 4))),
        scores: Float32Array.from(found.map((row) => row[4])),
        classes: Int32Array.from(found.map((row) => row[5])),
      },
    );
  }
  const { mAP, AP50, AP75 } = evaluation.result();
  return { mAP: rounded(mAP ?? 0, 4), AP50: rounded(AP50 ?? 0, 4), AP75: rounded(AP75 ?? 0, 4) };
}
