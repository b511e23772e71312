/**
 * A training's state as bytes and back: the SHA-256 of what follows, the length of a table of contents, that table as JSON,
 * then the arrays behind each other as 32-bit floats. What was cut short or changed is refused; numbers come back to the bit.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TrainingState } from './train.ts';

const LENGTHS = z.array(z.int().nonnegative());
const CONTENTS = z.object({
  steps: z.int().nonnegative(),
  parameters: LENGTHS,
  first: LENGTHS,
  second: LENGTHS,
  average: LENGTHS.default([]),
  best: LENGTHS.default([]),
  heldOutLosses: z.array(z.number().nullable()).default([]),
  losses: z.array(z.number()),
  /** JSON has no NaN. */
  accuracies: z.array(z.number().nullable()),
});

const DIGEST_BYTES = 32;
const TABLE_AT = DIGEST_BYTES + 4;

export function packState({ parameters, optimiser, average, watched, curve }: TrainingState): Uint8Array {
  const { steps, first, second } = optimiser;
  const lengths = (list: readonly Float32Array[]) => list.map(({ length }) => length);
  const table = new TextEncoder().encode(
    JSON.stringify({
      steps,
      parameters: lengths(parameters),
      first: lengths(first),
      second: lengths(second),
      average: lengths(average),
      best: lengths(watched.best),
      heldOutLosses: watched.losses,
      ...curve,
    } satisfies z.input<typeof CONTENTS>),
  );
  const arrays = [...parameters, ...first, ...second, ...average, ...watched.best];
  const bytes = new Uint8Array(TABLE_AT + table.length + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  new DataView(bytes.buffer).setUint32(DIGEST_BYTES, table.length, true);
  bytes.set(table, TABLE_AT);
  let at = TABLE_AT + table.length;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  bytes.set(digestOf(bytes));
  return bytes;
}

/** @throws {RangeError} where the bytes are not what was packed */
export function unpackState(bytes: Uint8Array): TrainingState {
  if (bytes.length < TABLE_AT || !digestOf(bytes).equals(bytes.subarray(0, DIGEST_BYTES))) {
    throw new RangeError('these bytes are no whole state of a training');
  }
  const tableBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(DIGEST_BYTES, true);
  let at = TABLE_AT + tableBytes;
  const contents = CONTENTS.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(TABLE_AT, at))));
  const taken = (lengths: readonly number[]) =>
    lengths.map((length) => {
      const array = new Float32Array(length);
      new Uint8Array(array.buffer).set(bytes.subarray(at, at + array.byteLength));
      at += array.byteLength;
      return array;
    });
  return {
    parameters: taken(contents.parameters),
    optimiser: { steps: contents.steps, first: taken(contents.first), second: taken(contents.second) },
    average: taken(contents.average),
    watched: { losses: contents.heldOutLosses.map(numberIn), best: taken(contents.best) },
    curve: { losses: contents.losses, accuracies: contents.accuracies.map(numberIn) },
  };
}

function numberIn(one: number | null): number {
  return one ?? Number.NaN;
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes.subarray(DIGEST_BYTES)).digest();
}
