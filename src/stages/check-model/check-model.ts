/**
 * `models check`: runs a model on the demo's photographs and compares what it says with what they show.
 *
 * It tells a model that works from one that is fed wrongly (range, layout, another network under that name). It does not
 * say how good a model is: six photographs are no measurement.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Box, boxAt, iou } from '../../core/boxes.ts';
import { IMAGENET_NAMES } from '../../core/imagenet-classes.ts';
import { LabelsmithError } from '../../errors.ts';
import { decodeForModel } from '../../images/pillow/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { cosineOf } from '../../math/dot.ts';
import type { Role } from '../../models/bundle.ts';
import type { Models } from '../../models/models.ts';
import { ALIKE, KNOWN_PHOTOGRAPHS, type KnownPhotograph } from './known-photographs.ts';

export interface ModelCheck {
  readonly id: string;
  readonly key: string;
  readonly role: Role;
  /** Whether enough of it is right for a model that works. */
  readonly sensible: boolean;
  readonly right: number;
  readonly of: number;
  /** What was asked, in words: `photographs whose class is among the first five`. */
  readonly asked: string;
  readonly answers: readonly CheckedAnswer[];
}

export interface CheckedAnswer {
  /** The photograph's file name, and of a detector the thing in it. */
  readonly about: string;
  readonly right: boolean;
  /** What the model says of it, best first. */
  readonly said: string;
  readonly expected: string;
}

export interface CheckOptions {
  readonly threads?: number;
}

/** @param folder holds the demo's photographs. */
export async function checkModel(
  models: Pick<Models, 'openEmbedder' | 'openDetector' | 'openImageClassifier'>,
  { id, role }: { readonly id: string; readonly role: Role },
  folder: string,
  options: CheckOptions = {},
): Promise<ModelCheck> {
  switch (role) {
    case 'classifier': {
      const classifier = await models.openImageClassifier(id, options);
      const { key, input, classNames } = classifier;
      return closing(classifier, async () => {
        const answers = await ofClasses(folder, input, async (pixels) =>
          [...(await classifier.classify(pixels)).entries()].map(([i, p]) => [classNames[i] ?? '', p] as const),
        );
        return result({ id, key, role }, IN_FIRST_FIVE, answers, CLASSES_NEEDED);
      });
    }
    case 'embedder': {
      const embedder = await models.openEmbedder(id, options);
      const { key, input } = embedder;
      return closing(embedder, async () => {
        if (embedder.votes === null)
          return result({ id, key, role }, ALIKE_NEAREST, await ofPairs(folder, embedder), PAIRS_NEEDED);
        const answers = await ofClasses(folder, input, async (pixels) =>
          namesOf((await embedder.look(pixels, 1)).votes),
        );
        return result({ id, key, role }, IN_FIRST_FIVE, answers, CLASSES_NEEDED);
      });
    }
    case 'detector': {
      const classNames = [
        ...new Set(KNOWN_PHOTOGRAPHS.flatMap(({ objects }) => objects.map(({ name }) => name))),
      ].sort();
      const detector = await models.openDetector(id, { ...options, vocabulary: { classNames } });
      return closing(detector, async () => {
        const answers: CheckedAnswer[] = [];
        for (const known of KNOWN_PHOTOGRAPHS) answers.push(...(await ofObjects(folder, known, detector)));
        return result({ id, key: detector.key, role }, OBJECTS_FOUND, answers, OBJECTS_NEEDED);
      });
    }
    case 'pose':
    case 'segmenter':
      throw new LabelsmithError(
        'UNSUPPORTED',
        `${id} is for ${role === 'pose' ? 'people' : 'boxes'} that were found before`,
        {
          hint: 'What can be checked: detectors, classifiers and embedders. Try it with `labelsmith detect --pose`.',
        },
      );
    case 'reader':
      throw new LabelsmithError(
        'UNSUPPORTED',
        `${id} reads words, and the photographs that models are checked on have none`,
        {
          hint: 'Try it with `labelsmith discover --read-words` on things that have words on them.',
        },
      );
    default:
      return role satisfies never;
  }
}

const IN_FIRST_FIVE = 'photographs whose class is among the first five';
const ALIKE_NEAREST = 'photographs whose like is nearest';
const OBJECTS_FOUND = 'large things found';
/** Shares that are right for a model that works; with the wrong range of its input MobileNetV2 has half of the classes. */
const CLASSES_NEEDED = 0.8;
/** CenterNet’s backbone takes one meal for a street; a network that sees nothing has half of them by chance at most. */
const PAIRS_NEEDED = 0.75;
/** CenterNet and NanoDet find all seven. */
const OBJECTS_NEEDED = 0.55;
const FOUND_SCORE = 0.3;
const FOUND_IOU = 0.5;

function result(
  model: Pick<ModelCheck, 'id' | 'key' | 'role'>,
  asked: string,
  answers: readonly CheckedAnswer[],
  needed: number,
): ModelCheck {
  const right = answers.filter((answer) => answer.right).length;
  return { ...model, sensible: right >= needed * answers.length, right, of: answers.length, asked, answers };
}

async function closing<T>(model: { close(): Promise<void> }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await model.close();
  }
}

/** @param votes numbers of classes, then their probabilities */
function namesOf(votes: Float32Array | null): (readonly [string, number])[] {
  const all = votes ?? new Float32Array();
  const count = all.length / 2;
  return Array.from({ length: count }, (_, i) => [IMAGENET_NAMES[all[i]] ?? '', all[count + i]] as const);
}

async function ofClasses(
  folder: string,
  input: Parameters<typeof pixelsFor>[1],
  say: (pixels: Uint8Array) => Promise<(readonly [name: string, probability: number])[]>,
): Promise<CheckedAnswer[]> {
  const answers: CheckedAnswer[] = [];
  for (const { file, classes } of KNOWN_PHOTOGRAPHS) {
    const said = await say(await pixelsFor(await readFile(join(folder, file)), input));
    const best = said
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5)
      .map(([name, p]) => [name.split(',')[0]?.trim() ?? '', p] as const);
    answers.push({
      about: file,
      right: best.some(([name]) => classes.includes(name)),
      said: best.map(([name, p]) => `${name} ${p.toFixed(2)}`).join(', '),
      expected: classes.join(' or '),
    });
  }
  return answers;
}

/** Of an embedder that names nothing: whether what is alike is nearest. */
async function ofPairs(
  folder: string,
  embedder: Awaited<ReturnType<Models['openEmbedder']>>,
): Promise<CheckedAnswer[]> {
  const vectors = new Map<string, Float32Array>();
  for (const { file } of KNOWN_PHOTOGRAPHS) {
    const pixels = await pixelsFor(await readFile(join(folder, file)), embedder.input);
    vectors.set(file, await embedder.embed(pixels, 1));
  }
  return ALIKE.flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]).map(([about = '', expected = '']) => {
    const own = vectors.get(about) ?? new Float32Array();
    const others = [...vectors].filter(([file]) => file !== about);
    const near = others.map(([file, other]) => ({ file, cosine: cosineOf(own, other) }));
    near.sort((one, other) => other.cosine - one.cosine);
    const said = near.map(({ file, cosine }) => `${file} ${cosine.toFixed(2)}`).join(', ');
    return { about, right: near[0]?.file === expected && Number.isFinite(near[0].cosine), said, expected };
  });
}

async function ofObjects(
  folder: string,
  { file, objects }: KnownPhotograph,
  detector: Awaited<ReturnType<Models['openDetector']>>,
): Promise<CheckedAnswer[]> {
  if (objects.length === 0) return [];
  const { pixels, ...frame } = await decodeForModel(await readFile(join(folder, file)), { ...detector.input });
  const all = await detector.detect(pixels, frame);
  const found = Array.from({ length: all.count }, (_, i) => ({
    name: detector.classNames[all.classes[i]] ?? '',
    score: all.scores[i],
    box: shareOf(boxAt(all, i), frame),
  })).filter(({ score }) => score >= FOUND_SCORE);
  return objects.map(({ name, box }) => {
    const here = found
      .map((one) => ({ ...one, overlap: iou(one.box, box) }))
      .filter(({ overlap }) => overlap >= FOUND_IOU);
    return {
      about: `${file}: ${name}`,
      right: here.some((one) => one.name === name),
      said:
        here.map((one) => `${one.name} ${one.score.toFixed(2)} (IoU ${one.overlap.toFixed(2)})`).join(', ') ||
        'nothing',
      expected: name,
    };
  });
}

function shareOf([x1, y1, x2, y2]: Box, { width, height }: { readonly width: number; readonly height: number }): Box {
  return [x1 / width, y1 / height, x2 / width, y2 / height];
}
