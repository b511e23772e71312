/**
 * Label Studio's run lengths of brush strokes: a bit stream of bytes, high bits first. 32 bits count the values, 5 bits
 * the bits of a value less one, four times 4 bits the sizes of run lengths less one. Then runs: one bit says whether one
 * value is repeated, two bits which size its length has, the length less one, and the value, or the values. The values
 * are RGBA, row-major; alpha is the mask (`decode_rle` and `encode_rle` of label-studio-converter's brush.py).
 */

const VALUE_BITS = 8;
const LENGTH_BITS = [3, 4, 8, 16] as const;

/**
 * @param alpha shape [height, width], row-major, 0 or 1
 * @returns bytes as numbers, as the format's JSON has them
 */
export function encodeBrush(alpha: Uint8Array): number[] {
  const out: number[] = [];
  let byte = 0;
  let filled = 0;
  const put = (value: number, bits: number) => {
    for (let i = bits - 1; i >= 0; i--) {
      byte = (byte << 1) | (Math.floor(value / 2 ** i) & 1);
      if (++filled < 8) continue;
      out.push(byte);
      byte = 0;
      filled = 0;
    }
  };
  put(alpha.length * 4, 32);
  put(VALUE_BITS - 1, 5);
  for (const bits of LENGTH_BITS) put(bits - 1, 4);
  for (let i = 0; i < alpha.length; ) {
    const value = alpha[i] === 0 ? 0 : 255;
    let end = i + 1;
    while (end < alpha.length && (alpha[end] === 0 ? 0 : 255) === value) end++;
    // All four channels are the value, so that a run of pixels is one run of values.
    for (let left = (end - i) * 4; left > 0; ) {
      const size = LENGTH_BITS.findIndex((bits) => left <= 2 ** bits);
      const which = size < 0 ? LENGTH_BITS.length - 1 : size;
      const length = Math.min(left, 2 ** LENGTH_BITS[which]);
      put(1, 1);
      put(which, 2);
      put(length - 1, LENGTH_BITS[which]);
      put(value, VALUE_BITS);
      left -= length;
    }
    i = end;
  }
  if (filled > 0) put(0, 8 - filled);
  return out;
}

/**
 * @param bytes 0 to 255 each
 * @returns shape [pixels], row-major, 0 or 1; null when the stream does not hold that many pixels
 */
export function decodeBrush(bytes: readonly number[], pixels: number): Uint8Array | null {
  let at = 0;
  const take = (bits: number) => {
    let value = 0;
    for (let i = 0; i < bits; i++, at++) value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const count = take(32);
  const valueBits = take(5) + 1;
  const lengthBits = Array.from({ length: 4 }, () => take(4) + 1);
  if (count !== pixels * 4) return null;
  const alpha = new Uint8Array(pixels);
  for (let i = 0; i < count; ) {
    if (at >= bytes.length * 8) return null;
    const repeated = take(1) === 1;
    const end = i + 1 + take(lengthBits[take(2)]);
    if (end > count) return null;
    if (repeated) {
      // Alpha is the last of four: those whose place lies in the run.
      if (take(valueBits) > 0) alpha.fill(1, Math.floor(i / 4), Math.floor(end / 4));
      i = end;
    } else for (; i < end; i++) if (take(valueBits) > 0 && i % 4 === 3) alpha[(i - 3) / 4] = 1;
  }
  return at <= bytes.length * 8 ? alpha : null;
}
