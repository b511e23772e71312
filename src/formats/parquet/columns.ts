/** The columns of a Parquet table of labels; what they hold is said in `parquet.ts`. */

export interface Row {
  readonly file: string;
  readonly sha256: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly split: string | null;
  readonly task: string | null;
  readonly class: string | null;
  readonly confidence: number | null;
  readonly origin: string | null;
  readonly region: string | null;
  readonly x1: number | null;
  readonly y1: number | null;
  readonly x2: number | null;
  readonly y2: number | null;
  readonly score: number | null;
  readonly crowd: boolean | null;
  readonly touched: boolean | null;
}

export const COLUMN_TYPES: Readonly<Record<keyof Row, 'string' | 'int32' | 'double' | 'boolean'>> = {
  file: 'string',
  sha256: 'string',
  width: 'int32',
  height: 'int32',
  split: 'string',
  task: 'string',
  class: 'string',
  confidence: 'double',
  origin: 'string',
  region: 'string',
  x1: 'double',
  y1: 'double',
  x2: 'double',
  y2: 'double',
  score: 'double',
  crowd: 'boolean',
  touched: 'boolean',
};
export const COLUMNS = Object.keys(COLUMN_TYPES) as (keyof Row)[];
