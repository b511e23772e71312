/**
 * Models in the layout of the hub's repositories, with random weights: from JPEG bytes to vectors, boxes and token ids, against
 * what Python's transformers makes of the same files (`test/oracles/hub_models.py`), or the own code of SAM (`sam_export.py`) and
 * YOLOX (`yolox_export.py`).
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import type { Box } from '../core/boxes.ts';
import type { MaskRle } from '../core/dataset.ts';
import { decodeForModel } from '../images/pillow/decode.ts';
import type { Detector } from '../models/detector.ts';
import { createModels } from '../models/models.ts';
import { ELEMENT_TYPES } from '../onnx/element-types.ts';
import { decodeModel, encodeModel } from '../onnx/proto.ts';
import { pixelsFor } from './item-pixels.ts';

const FOLDER = resolve(import.meta.dirname, '../../test/fixtures/hub');
const TOLERANCE = 1e-4;

const numbers = z.array(z.number());
const byName = <T extends z.ZodType>(schema: T) => z.record(z.string(), schema);
const EXPECTED = z.object({
  embeddings: byName(numbers).default({}),
  tokens: byName(numbers).default({}),
  texts: byName(numbers).default({}),
  threshold: z.number().optional(),
  words: z.array(z.string()).optional(),
  masks: byName(
    z.array(
      z.object({
        box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
        score: z.number(),
        logits: numbers,
        counts: numbers,
      }),
    ),
  ).default({}),
  detections: byName(z.array(z.object({ score: z.number(), class: z.number(), box: numbers }))).default({}),
});

function near(found: ArrayLike<number>, expected: readonly number[], what: string): void {
  assert.equal(found.length, expected.length, what);
  for (const [i, value] of expected.entries()) {
    const most = TOLERANCE * Math.max(1, Math.abs(value));
    assert.ok(Math.abs(found[i] - value) <= most, `${what} at ${i}: ${found[i]}, not ${value}`);
  }
}

/** Within the box, whose pixels are those with their middle in it; outside of it there is nothing. */
function differingPixels(mask: MaskRle, expected: MaskRle, [x1, y1, x2, y2]: Box): number {
  const [height, width] = mask.size;
  const bitsOf = ({ counts }: MaskRle) => counts.map((count, i) => String(i % 2).repeat(count)).join('');
  const [found, bits] = [bitsOf(mask), bitsOf(expected)];
  assert.deepEqual([found.length, bits.length], [width * height, width * height]);
  const isIn = (i: number) => {
    const [x, y] = [Math.floor(i / height) + 0.5, (i % height) + 0.5];
    return x >= x1 && x < x2 && y >= y1 && y < y2;
  };
  return [...found].filter((bit, i) => bit !== (isIn(i) ? bits[i] : '0')).length;
}

const families = readdirSync(FOLDER, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));

for (const name of families) {
  test(`${name}: what its own Python code makes of the same pictures and texts`, async (t) => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-hub-'));
    t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
    const folder = join(FOLDER, name);
    const { embeddings, tokens, texts, threshold, words, masks, detections } = EXPECTED.parse(
      JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')),
    );
    const compared = [embeddings, tokens, masks].some((table) => Object.keys(table).length > 0);
    assert.ok(compared || threshold !== undefined, 'there is something to compare');
    const models = createModels({ cacheDir, onNotice: () => undefined });
    // A YOLOX is one file, which says nothing of its classes.
    const alone = join(folder, 'yolox.onnx');
    const { id } = existsSync(alone)
      ? (await models.importFile(alone, { classNames: ['a', 'b', 'c'], name: 'tiny' })).entry
      : await models.importModel(folder, { name: 'tiny' });
    if (Object.keys(embeddings).length > 0) {
      const embedder = await models.openEmbedder(id, { threads: 1 });
      for (const [file, expected] of Object.entries(embeddings)) {
        const pixels = await pixelsFor(readFileSync(join(FOLDER, file)), embedder.input);
        near(await embedder.embed(pixels, 1), expected, `${name} ${file}`);
      }
      await embedder.close();
    }
    if (Object.keys(tokens).length > 0) {
      const encoder = await models.openTextEncoder(id, { threads: 1 });
      const rows = await encoder.encode(Object.keys(texts));
      for (const [row, [text, expected]] of Object.entries(texts).entries()) {
        assert.deepEqual(encoder.tokens(text), tokens[text], `${name} ${text}`);
        near(rows.data.subarray(row * rows.columns, (row + 1) * rows.columns), expected, `${name} ${text}`);
      }
      await encoder.close();
    }
    if (Object.keys(masks).length > 0) {
      const segmenter = await models.openBoxSegmenter(id, { threads: 1 });
      for (const [file, expected] of Object.entries(masks)) {
        const { pixels, ...frame } = await decodeForModel(readFileSync(join(FOLDER, file)), segmenter.input);
        const boxes = expected.map(({ box }) => box);
        const answers = await segmenter.propose(pixels, frame, boxes);
        const made = await segmenter.masks(pixels, frame, boxes);
        for (const [i, { box, score, logits, counts }] of expected.entries()) {
          const what = `${name} ${file} ${box}`;
          near([answers[i].score], [score], what);
          near(answers[i].logits, logits, what);
          assert.equal(differingPixels(made[i], { ...made[i], counts }, box), 0, what);
        }
      }
      await segmenter.close();
    }
    if (threshold !== undefined) {
      const vocabulary = words && { classNames: words };
      const detector = await models.openDetector(id, { threads: 1, ...(vocabulary ? { vocabulary } : {}) });
      await finds(detector, detections, name);
      await detector.close();
    }
  });
}

type Detections = z.output<typeof EXPECTED>['detections'];

/** That a detector finds what is expected in each picture. */
async function finds(detector: Detector, detections: Detections, name: string): Promise<void> {
  for (const [file, expected] of Object.entries(detections)) {
    const { pixels, ...frame } = await decodeForModel(readFileSync(join(FOLDER, file)), detector.input);
    const found = await detector.detect(pixels, frame);
    const clipped = (box: readonly number[]) =>
      box.map((value, i) => Math.min(Math.max(value, 0), i % 2 === 0 ? frame.width : frame.height));
    // Boxes beside the image, in what a square is filled up with, are no detections here.
    const isInside = ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[]) => x2 > x1 && y2 > y1;
    const wanted = expected.filter(({ box }) => isInside(clipped(box))).sort((a, b) => b.score - a.score);
    assert.ok(wanted.length > 0, `${name} ${file}: nothing to find`);
    near(
      found.scores.slice(0, wanted.length),
      wanted.map(({ score }) => score),
      `${name} ${file} scores`,
    );
    for (const { score, box, class: c } of wanted) {
      const inside = clipped(box);
      // Boxes in shares of the image's sides, which is what the networks say.
      const shares = (of: ArrayLike<number>) =>
        Array.from(of, (value, i) => value / (i % 2 === 0 ? frame.width : frame.height));
      const off = (i: number) =>
        Math.max(
          Math.abs(found.scores[i] - score),
          ...shares(found.boxes.slice(4 * i, 4 * i + 4)).map((value, j) => Math.abs(value - (shares(inside)[j] ?? 0))),
        );
      const least = Math.min(...[...found.scores.keys()].filter((i) => found.classes[i] === c).map(off));
      assert.ok(least < TOLERANCE, `${name} ${file}: ${least} from class ${c} with ${score} at ${box}`);
    }
  }
}

test('rf_detr as its own package exports it: one file, its outputs called dets and labels, COCO’s official numbers', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-hub-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const { detections } = EXPECTED.parse(JSON.parse(readFileSync(join(FOLDER, 'rf_detr/expected.json'), 'utf8')));
  const NAMES: Readonly<Record<string, string>> = { pixel_values: 'input', logits: 'labels', pred_boxes: 'dets' };
  const renamed = (value: string) => NAMES[value] ?? value;
  const model = decodeModel(Uint8Array.from(readFileSync(join(FOLDER, 'rf_detr/onnx/model.onnx'))));
  for (const port of [...(model.graph?.input ?? []), ...(model.graph?.output ?? [])])
    port.name = renamed(port.name ?? '');
  for (const node of model.graph?.node ?? []) {
    node.input = node.input?.map(renamed);
    node.output = node.output?.map(renamed);
  }
  const path = join(cacheDir, 'inference_model.onnx');
  writeFileSync(path, encodeModel(model));
  const models = createModels({ cacheDir, onNotice: () => undefined });
  const { entry, inferred } = await models.importFile(path, { name: 'own-export' });
  assert.ok(
    inferred.some((sentence) => sentence.includes('official')),
    inferred.join('; '),
  );
  const detector = await models.openDetector(entry.id, { threads: 1 });
  assert.equal(detector.classNames.length, 80);
  await finds(detector, detections, 'rf_detr');
  await detector.close();
  const trained = { classNames: Array.from({ length: 90 }, (_, i) => `part ${i}`), name: 'trained' };
  const own = await models.importFile(path, trained);
  assert.ok(own.entry.role === 'detector' && own.entry.classNames.length === 90, 'the last number is for nothing');
  await assert.rejects(
    models.importFile(path, { classNames: ['one'], name: 'few' }),
    /91 numbers a box, and 1 name was given/,
  );
});

test('a network that gives 16-bit floats is read as they are: images and texts', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-hub-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const folder = join(cacheDir, 'halves');
  cpSync(join(FOLDER, 'clip'), folder, { recursive: true });
  for (const name of ['vision_model', 'text_model']) {
    const path = join(folder, 'onnx', `${name}.onnx`);
    const model = decodeModel(Uint8Array.from(readFileSync(path)));
    const { graph } = model;
    const wanted = graph?.output?.find((port) => port.name?.endsWith('_embeds'));
    assert.ok(graph && wanted?.name && wanted.type?.tensorType);
    const whole = `${wanted.name}_whole`;
    for (const node of graph.node ?? []) {
      node.output = node.output?.map((value) => (value === wanted.name ? whole : value));
      node.input = node.input?.map((value) => (value === wanted.name ? whole : value));
    }
    const to = ELEMENT_TYPES.float16;
    const cast = {
      opType: 'Cast',
      input: [whole],
      output: [wanted.name],
      attribute: [{ name: 'to', type: 2, i: BigInt(to) }],
    };
    graph.node?.push(cast);
    wanted.type.tensorType.elemType = to;
    writeFileSync(path, encodeModel(model));
  }
  const { embeddings, texts } = EXPECTED.parse(JSON.parse(readFileSync(join(FOLDER, 'clip/expected.json'), 'utf8')));
  const models = createModels({ cacheDir, onNotice: () => undefined });
  const { id } = await models.importModel(folder, { name: 'halves' });
  // A half has 11 bits.
  const isNear = (found: ArrayLike<number>, expected: readonly number[]) =>
    assert.ok(expected.every((value, i) => Math.abs(found[i] - value) <= 2 ** -11 * Math.abs(value) + 1e-4));
  const embedder = await models.openEmbedder(id, { threads: 1 });
  for (const [file, expected] of Object.entries(embeddings)) {
    isNear(await embedder.embed(await pixelsFor(readFileSync(join(FOLDER, file)), embedder.input), 1), expected);
  }
  await embedder.close();
  const encoder = await models.openTextEncoder(id, { threads: 1 });
  const rows = await encoder.encode(Object.keys(texts));
  for (const [i, expected] of Object.values(texts).entries()) {
    const length = Math.hypot(...expected);
    isNear(
      rows.data.subarray(i * rows.columns, (i + 1) * rows.columns),
      expected.map((value) => value / length),
    );
  }
  await encoder.close();
});
