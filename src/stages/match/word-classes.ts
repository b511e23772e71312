/**
 * Classes from words alone (zero-shot; Radford et al. 2021, arXiv 2103.00020, section 3.1): a class is the mean of its name in
 * several sentences. Pure.
 *
 * What is compared is the cosine less half of the pile's mean cosine to the same words: some words are near to every image, and
 * half is what costs least where most of a pile is of one class (Zhou et al. 2023, "Test-time distribution normalization",
 * arXiv 2302.11084). "None of these" is a rival of its own: the best of everyday words that are neither a class nor a kind of one
 * nor what one is a kind of. An image that such a word describes as well as any class is of none.
 */
import { argMax } from '../../math/calibration.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { Matched } from './prototypes.ts';

/** `{}` is the name. A name by itself is one of them. */
export const TEMPLATES: readonly string[] = [
  'a photo of a {}.',
  'a photo of the {}.',
  'a close-up photo of a {}.',
  'a cropped photo of the {}.',
  'a bad photo of a {}.',
  '{}',
];

/** Words of what else a picture may show. */
const EVERYDAY_WORDS: readonly string[] = (
  'person,face,hand,crowd,dog,cat,bird,fish,insect,horse,animal,tree,flower,leaf,grass,food,fruit,vegetable,drink,car,truck,' +
  'bicycle,boat,airplane,building,house,bridge,road,room,kitchen,furniture,chair,table,bed,lamp,window,door,wall,screen,' +
  'computer,telephone,camera,machine,engine,tool,knife,screw,wire,circuit board,coin,key,book,letter,map,drawing,painting,' +
  'text,logo,sign,clothing,shoe,hat,bag,bottle,cup,box,toy,ball,musical instrument,weapon,jewelry,rock,sand,water,sea,' +
  'mountain,sky,cloud,snow,fire,night,metal surface,wood,fabric,paper,plastic,pattern,shadow,microscope image,satellite image'
).split(',');

/** Those that are no class, no kind of one and nothing that one is a kind of. @param kindsOf what a name is a kind of */
export function rivalWords(classNames: readonly string[], kindsOf: (name: string) => readonly string[]): string[] {
  const lower = (name: string) => name.toLowerCase();
  const classes = new Set(classNames.map(lower));
  const above = new Set(classNames.flatMap((name) => kindsOf(name).map(lower)));
  const within = (word: string) => classNames.some((name) => ` ${lower(name)} `.includes(` ${word} `));
  return EVERYDAY_WORDS.filter(
    (word) =>
      !classes.has(word) &&
      !above.has(word) &&
      !within(word) &&
      !kindsOf(word).some((kind) => classes.has(lower(kind))),
  );
}

/** A name in every sentence. */
export function sentencesOf(name: string, templates: readonly string[]): string[] {
  return templates.map((template) => template.replaceAll('{}', name));
}

/** The mean of each run of `each` rows, at length 1. @param rows of length 1 */
export function meansOf({ data, rows, columns }: Matrix, each: number): Matrix {
  const means = newSharedMatrix(rows / each, columns);
  for (let m = 0; m < means.rows; m++) {
    let square = 0;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < each; i++) sum += data[(m * each + i) * columns + j];
      means.data[m * columns + j] = sum;
      square += sum * sum;
    }
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = 0; j < columns; j++) means.data[m * columns + j] = means.data[m * columns + j] * scale;
  }
  return means;
}

/** Cosines times this are what these models were trained to choose by: CLIP ends at 100, SigLIP between 100 and 120. */
const SCALE = 100;
/** Of the pile's mean cosine to a text, what is taken off. */
const MEAN_SHARE = 0.5;

/** Half is as sure of the class as of all else together. */
export const WORD_THRESHOLD = 0.5;

export interface WordRule {
  /** Classes; texts behind them are rivals. */
  readonly classes: number;
  /** Shape [texts]: mean cosine of the pile to each. */
  readonly means: Float64Array;
  readonly threshold: number;
}

/** @param cosines shape [texts] of one item */
export function decideByWords(cosines: ArrayLike<number>, { classes, means, threshold }: WordRule): Matched {
  const scores = Float64Array.from(cosines, (cosine, t) => SCALE * (cosine - MEAN_SHARE * means[t]));
  const best = argMax(scores.subarray(0, classes));
  const rival = scores.subarray(classes).reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const most = Math.max(scores[best], rival);
  const shares = scores.subarray(0, classes).map((score) => Math.exp(score - most));
  const all = shares.reduce((sum, share) => sum + share, Math.exp(rival - most));
  const probabilities = Float32Array.from(shares, (share) => share / all);
  const confidence = probabilities[best];
  return { class: best, cosine: cosines[best], probabilities, confidence, accepted: confidence >= threshold };
}
