/** The prints of many pictures as columns, in memory that threads share. */
import { PRINT_BYTES } from './print.ts';

/** Structure of arrays, n pictures. */
export interface PrintColumns {
  readonly count: number;
  /** Undefined for pictures of before there were prints. */
  print(i: number): Uint8Array | undefined;
  /** Shape [n]: natural logarithm of width ÷ height. */
  readonly logAspect: Float32Array;
}

/** {@link PrintColumns} as they are sent to a thread; nothing of it is copied where its memory is shared. */
export interface SharedPrints {
  readonly count: number;
  /** Prints in the order in which they came, {@link PRINTS_A_PIECE} in each. */
  readonly pieces: readonly Uint8Array[];
  /** Shape [n]: which of the prints that came is that of each picture, {@link NO_PRINT} where it has none. */
  readonly places: Uint32Array;
  readonly logAspect: Float32Array;
}

/** Two megabytes, which are never moved. */
export const PRINTS_A_PIECE = 1024;
export const NO_PRINT = 0xffffffff;

export function printColumns({ count, pieces, places, logAspect }: SharedPrints): PrintColumns {
  return {
    count,
    logAspect,
    print(i) {
      const place = places[i];
      if (place === NO_PRINT) return undefined;
      const start = (place % PRINTS_A_PIECE) * PRINT_BYTES;
      return pieces[Math.floor(place / PRINTS_A_PIECE)].subarray(start, start + PRINT_BYTES);
    },
  };
}

export function newPiece(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(PRINTS_A_PIECE * PRINT_BYTES));
}
