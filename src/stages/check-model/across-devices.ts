/**
 * Whether a device says of the demo's photographs what the processor says, within what is stated here: arithmetic of another order,
 * and kernels of 16 bits or TF32, change last digits; a kernel that is wrong changes more.
 *
 * Vectors: the least cosine of one photograph's two vectors, {@link LEAST_COSINE}. That is an angle of .02, so cosines between any two
 * images change by .04 at most. Boxes: of those that the processor finds, the share that the device finds with the same class, in
 * nearly the same place and with a score within {@link SCORE_DIFFERENCE}, {@link LEAST_SHARE}.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boxAt, iou } from '../../core/boxes.ts';
import { decodeForModel } from '../../images/pillow/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { cosineOf } from '../../math/dot.ts';
import type { Role } from '../../models/bundle.ts';
import type { Models } from '../../models/models.ts';
import { KNOWN_PHOTOGRAPHS } from './known-photographs.ts';

export interface Agreement {
  readonly measure: 'cosine' | 'boxes';
  /** The least cosine, or the share of boxes; 0 to 1. */
  readonly found: number;
  readonly needed: number;
  readonly agrees: boolean;
}

export const LEAST_COSINE = 0.9998;
export const LEAST_SHARE = 0.95;
const SCORE_DIFFERENCE = 0.02;
const SAME_PLACE = 0.95;
const FOUND_SCORE = 0.3;

type Opened = Pick<Models, 'openEmbedder' | 'openDetector'>;

/** @param folder holds the demo's photographs. @returns null of a model that takes no whole photographs */
export async function agreementOf(
  device: Opened,
  processor: Opened,
  { id, role }: { readonly id: string; readonly role: Role },
  folder: string,
): Promise<Agreement | null> {
  if (role === 'embedder') {
    const [here, there] = [await vectorsOf(processor, id, folder), await vectorsOf(device, id, folder)];
    return judged('cosine', Math.min(...here.map((vector, i) => cosineOf(vector, there[i]))), LEAST_COSINE);
  }
  if (role !== 'detector') return null;
  const [here, there] = [await boxesOf(processor, id, folder), await boxesOf(device, id, folder)];
  const pairs = here.flatMap((found, i) => found.map((one) => there[i].some((other) => isSame(one, other))));
  return judged('boxes', pairs.length === 0 ? 1 : pairs.filter(Boolean).length / pairs.length, LEAST_SHARE);
}

function judged(measure: Agreement['measure'], found: number, needed: number): Agreement {
  // A device that answers with no numbers agrees with nothing.
  return { measure, found, needed, agrees: found >= needed };
}

async function vectorsOf(models: Opened, id: string, folder: string): Promise<Float32Array[]> {
  const embedder = await models.openEmbedder(id, { threads: 1 });
  try {
    return await Promise.all(
      KNOWN_PHOTOGRAPHS.map(async ({ file }) =>
        embedder.embed(await pixelsFor(await readFile(join(folder, file)), embedder.input), 1),
      ),
    );
  } finally {
    await embedder.close();
  }
}

type Found = ReturnType<typeof boxesIn>[number];

async function boxesOf(models: Opened, id: string, folder: string): Promise<Found[][]> {
  const classNames = [...new Set(KNOWN_PHOTOGRAPHS.flatMap(({ objects }) => objects.map(({ name }) => name)))].sort();
  const detector = await models.openDetector(id, { threads: 1, vocabulary: { classNames } });
  try {
    const all: Found[][] = [];
    for (const { file } of KNOWN_PHOTOGRAPHS) {
      const { pixels, ...frame } = await decodeForModel(await readFile(join(folder, file)), detector.input);
      all.push(boxesIn(await detector.detect(pixels, frame)));
    }
    return all;
  } finally {
    await detector.close();
  }
}

function boxesIn(found: Awaited<ReturnType<Awaited<ReturnType<Opened['openDetector']>>['detect']>>) {
  return Array.from({ length: found.count }, (_, i) => {
    return { class: found.classes[i], score: found.scores[i], box: boxAt(found, i) };
  }).filter(({ score }) => score >= FOUND_SCORE);
}

function isSame(one: Found, other: Found): boolean {
  const near = Math.abs(one.score - other.score) <= SCORE_DIFFERENCE;
  return one.class === other.class && near && iou(one.box, other.box) >= SAME_PLACE;
}
