/** Which class a pixel of a mask has: by colour, or by number. */
import { badFile, classNameAt, shown } from '../check.ts';
import type { MaskPicture } from './parts.ts';

export interface MaskTable {
  /** Null for the background and for what is to be ignored; values of which nothing is known are listed. */
  forPicture(
    picture: MaskPicture,
    name: string,
  ): { classOf: (value: number) => string | null; unknown: readonly string[] };
}

/** Names of what is no object. */
const BACKGROUND = /^_*(?:background|back|bg|void|ignored?|unlabell?ed|none|other)_*$/i;
/** The border around VOC's objects, and its number. */
const VOID_COLOUR = 0xe0e0c0;
const VOID_NUMBER = 255;

/** VOC's classes by number (host.robots.ox.ac.uk/pascal/VOC/voc2012/segexamples), 0 being the background. */
// biome-ignore format: names read best on few lines
const VOC_CLASSES = [
  'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable', 'dog',
  'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor',
];

/** VOC's colour of a number (`VOClabelcolormap.m` of its development kit): its bits, three at a time, from the highest down. */
function vocColour(number: number): number {
  let [red, green, blue] = [0, 0, 0];
  for (let bits = number, shift = 7; bits > 0; bits >>= 3, shift--) {
    red |= (bits & 1) << shift;
    green |= ((bits >> 1) & 1) << shift;
    blue |= ((bits >> 2) & 1) << shift;
  }
  return (red << 16) | (green << 8) | blue;
}

/**
 * @param labelmap `name:r,g,b:parts:actions` a line, as CVAT and Datumaro write it
 * @param names by number
 */
export function tableOf(labelmap: string | null, names: readonly string[] | null): MaskTable {
  if (labelmap !== null) return coloursTable(coloursOf(labelmap));
  if (names !== null) return numbersTable(names);
  const voc = new Map(VOC_CLASSES.map((className, i) => [vocColour(i), nameOrNull(className)]));
  return {
    forPicture(picture, name) {
      const isVoc = picture.coloured && picture.values.every((value) => voc.has(value) || value === VOID_COLOUR);
      if (isVoc) return coloursTable(voc).forPicture(picture, name);
      throw badFile(
        name,
        `nothing says which class the ${picture.coloured ? 'colours' : 'numbers'} of the masks stand for`,
        'Put labelmap.txt (name:r,g,b a line) or classes.txt (a name a line) beside the folder of masks, or name them with --names.',
      );
    },
  };
}

function nameOrNull(name: string): string | null {
  return BACKGROUND.test(name) ? null : name;
}

function coloursOf(labelmap: string): Map<number, string | null> {
  const colours = new Map<number, string | null>();
  for (const [i, line] of labelmap.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, ...rgb] = /^(.+?):\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?::|$)/.exec(line) ?? [];
    const where = `labelmap.txt:${i + 1}`;
    if (name === undefined) throw badFile(where, `name:r,g,b was expected, not ${shown(line)}`);
    const [red, green, blue] = rgb.map(Number);
    colours.set((red << 16) | (green << 8) | blue, nameOrNull(classNameAt(name, where)));
  }
  return colours;
}

function coloursTable(colours: ReadonlyMap<number, string | null>): MaskTable {
  return {
    forPicture({ values, coloured }) {
      // A grey of a picture without colours is that colour.
      const colourOf = (value: number) => (coloured ? value : value * 0x010101);
      const others = new Set<number>();
      for (const value of values) {
        const colour = colourOf(value);
        if (!colours.has(colour) && colour !== 0 && colour !== VOID_COLOUR) others.add(colour);
        if (others.size >= MAX_UNKNOWN) break;
      }
      const unknown = [...others].map((colour) => `no class has the colour ${rgbText(colour)}`);
      return { classOf: (value) => colours.get(colourOf(value)) ?? null, unknown };
    },
  };
}

/** Values that are told of; a photograph in the place of a mask has very many. */
const MAX_UNKNOWN = 20;

function rgbText(colour: number): string {
  return [colour >> 16, (colour >> 8) & 255, colour & 255].join(',');
}

/** Where no name is that of a background, 0 is one and names count from 1. */
function numbersTable(given: readonly string[]): MaskTable {
  return tableByNumber(given.some((name) => BACKGROUND.test(name)) ? given : ['background', ...given]);
}

/** @param names what each number is; a number without one is told */
export function tableByNumber(names: readonly string[]): MaskTable {
  return {
    forPicture({ values, coloured, palette }, name) {
      if (coloured && palette === null)
        throw badFile(
          name,
          'the mask has colours, and classes are named by number',
          'Put labelmap.txt beside its folder.',
        );
      const numberOf = (value: number) => (coloured ? (palette?.get(value) ?? VOID_NUMBER) : value);
      const numbers = new Set<number>();
      for (const value of values) numbers.add(numberOf(value));
      // Black and white of one class.
      const isBinary = names.length === 2 && [...numbers].every((number) => number === 0 || number === VOID_NUMBER);
      const nameOf = (number: number) => (isBinary && number === VOID_NUMBER ? names[1] : names[number]);
      const unknown = [...numbers]
        .filter((number) => nameOf(number) === undefined && number !== VOID_NUMBER)
        .slice(0, MAX_UNKNOWN)
        .map((number) => `no class has the number ${number}`);
      return {
        classOf(value) {
          const found = nameOf(numberOf(value));
          return found === undefined ? null : nameOrNull(found);
        },
        unknown,
      };
    },
  };
}
