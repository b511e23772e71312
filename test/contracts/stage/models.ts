/**
 * Models made by code that see nothing but colours, for a process that is told no more than where their files are: a
 * detector and a pose model that are plain functions of the pixels, and an embedder that is a small ONNX graph.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Detector } from '../../../src/models/detector.ts';
import { importModel } from '../../../src/models/import.ts';
import { createModels, type Models } from '../../../src/models/models.ts';
import type { PoseModel } from '../../../src/models/pose.ts';
import { Graph } from '../../../src/onnx/ops.ts';

const SIDE = 32;
const INPUT = { width: SIDE, height: SIDE, pad: [0, 0, 0], kernel: 'linear' } as const;

/** Makes the embedder's file. @param mean what is taken off each colour: with another one it is another model of the same name */
export async function importEmbedder(dir: string, cacheDir: string, mean = 0): Promise<void> {
  const graph = new Graph('means');
  const image = graph.input('image', 'float32', ['n', 3, 16, 16]);
  graph.output(graph.reduceMean(image, [2, 3], { keepDims: false }), 'row');
  const file = join(dir, 'means.onnx');
  await writeFile(file, graph.toModel());
  await importModel(file, { cacheDir, input: { scale: 1, mean: [mean, mean, mean], std: [1, 1, 1] } });
}

export function colourModels(cacheDir: string): Models {
  return {
    ...createModels({ cacheDir, offline: true }),
    openDetector: async () => detector,
    openPose: async () => pose,
  };
}

const byte = (pixels: Uint8Array, place: number) => pixels[(place * 97) % pixels.length];

/** A person on the left and a thing on the right, as far as the picture is red and blue. */
const detector: Detector = {
  id: 'colours',
  key: 'colours@1',
  classNames: ['person', 'thing'],
  input: INPUT,
  capacity: 2,
  detect: async (pixels, { width, height }) => ({
    count: 2,
    boxes: Float32Array.from([0, 0, width / 2, height, width / 2, height / 4, width, height]),
    scores: Float32Array.from([byte(pixels, 0), byte(pixels, 2)], (value) => 0.05 + (0.9 * value) / 255),
    classes: Int32Array.of(0, 1),
  }),
  close: async () => {},
};

const pose: PoseModel = {
  id: 'colours-pose',
  key: 'colours-pose@1',
  keypointNames: Array.from({ length: 17 }, (_, i) => `point ${i}`),
  input: INPUT,
  capacity: 2,
  estimate: async (pixels) =>
    Float32Array.from({ length: 51 }, (_, i) => (i % 3 === 2 ? 1 : SIDE) * (byte(pixels, i) / 255)),
  close: async () => {},
};
