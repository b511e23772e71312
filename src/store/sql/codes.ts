/** Names as they stand on disk: a code an origin, a bit a quality flag. */
import type { QualityFlag } from '../../core/image.ts';
import type { Origin } from '../../core/labels.ts';
import { bits, code } from './column.ts';

/** Bits and codes on disk: a new name gets a new number, an old one is never given again. */
export const FLAG_BITS = {
  dark: 1,
  bright: 2,
  blurred: 4,
  uniform: 8,
  tiny: 16,
  'odd-shape': 32,
  rescaled: 64,
  bands: 128,
  gaps: 256,
} as const satisfies Record<QualityFlag, number>;

/** In order of precedence, which the query that counts current labels relies on. */
export const ORIGIN_CODES = {
  human: 0,
  imported: 10,
  model: 20,
  reference: 30,
  detector: 40,
  cluster: 50,
} as const satisfies Record<Origin, number>;

export const origin = code(ORIGIN_CODES);
export const flags = bits(FLAG_BITS);
/** For columns of aggregates, which no table describes. */
export const originOf = (stored: number): Origin => origin.codec.decode(stored, 'label.origin');
export const flagsOf = (stored: number): readonly QualityFlag[] => flags.codec.decode(stored, 'image.flags');

/** Rows of `class` whose name is like this are numbers of classes that are none now. */
export const PASSING = '\u0001%';
