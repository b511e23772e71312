/** IEEE 754 half precision ↔ single precision, by table for reading; Node 22 has no `Float16Array`. */

let table: Float32Array | undefined;

/** The single-precision value of every 16-bit pattern. */
function halfTable(): Float32Array {
  if (table) return table;
  table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 31) value = fraction ? Number.NaN : Number.POSITIVE_INFINITY;
    else if (exponent === 0) value = fraction * 2 ** -24;
    else value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = sign * value;
  }
  return table;
}

export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = halfTable();
  const result = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) result[i] = values[halves[i]];
  return result;
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** Rounds to the nearest half, ties to even; too large becomes infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const result = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    single[0] = values[i];
    const bits = singleBits[0];
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00;
    else if (magnitude >= 0x477ff000) half = 0x7c00;
    else if (magnitude >= 0x38800000) {
      const rebased = magnitude - 0x38000000;
      half = (rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13;
    } else {
      // Below 2^-14 a half counts in steps of 2^-24; the product is exact, so one rounding is made.
      const steps = Math.abs(single[0]) * 2 ** 24;
      const floor = Math.floor(steps);
      const rest = steps - floor;
      half = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
    }
    result[i] = sign | half;
  }
  return result;
}
