import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/properties.ts';
import { readGguf } from './gguf.ts';
import { mobileNetV3ToOnnx } from './mobilenetv3.ts';

/** A file as the format's description has it: little-endian, sizes fastest first, data aligned to 32 bytes. */
function file(version: number, metadata: readonly [string, number, Buffer][], tensorType = 1): Uint8Array {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(2),
    u64(metadata.length),
    ...metadata.flatMap(([key, type, value]) => [text(key), u32(type), value]),
    ...[text('a'), u32(2), u64(3), u64(2), u32(0), u64(0)],
    ...[text('b'), u32(1), u64(2), u32(tensorType), u64(32)],
  ]);
  const padding = Buffer.alloc((32 - (head.length % 32)) % 32);
  const a = Buffer.alloc(32);
  Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer).copy(a);
  return new Uint8Array(Buffer.concat([head, padding, a, Buffer.from(Uint16Array.of(0x3c00, 0xc100).buffer)]));
}

const f32 = (value: number) => Buffer.from(Float32Array.of(value).buffer);

test('metadata and tensors of both kinds are read, sizes turned to row-major order', () => {
  const list = Buffer.concat([
    Buffer.from(Uint32Array.of(5).buffer),
    Buffer.from(BigUint64Array.of(2n).buffer),
    Buffer.from(Int32Array.of(-1, 7).buffer),
  ]);
  for (const version of [2, 3]) {
    const { metadata, tensors } = readGguf(
      file(version, [
        ['eps', 6, f32(0.5)],
        ['list', 9, list],
        ['yes', 7, Buffer.of(1)],
      ]),
    );
    assert.deepEqual(
      [...metadata],
      [
        ['eps', 0.5],
        ['list', [-1, 7]],
        ['yes', true],
      ],
    );
    assert.deepEqual(tensors.get('a'), { dtype: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    assert.deepEqual(tensors.get('b'), { dtype: 'float32', dims: [2], data: Float32Array.of(1, -2.5) });
  }
});

test('what is not taken is refused by name', () => {
  assert.throws(() => readGguf(file(1, [])), { code: 'BAD_MODEL', message: /version 1/ });
  assert.throws(() => readGguf(file(3, [], 2)), { code: 'BAD_MODEL', message: /tensor b is of GGUF type 2/ });
  assert.throws(() => readGguf(file(3, [['x', 99, f32(0)]])), { code: 'BAD_MODEL', message: /type 99/ });
  assert.throws(() => readGguf(Buffer.from('not this')), { code: 'BAD_MODEL', message: /begin with GGUF/ });
  assert.throws(() => mobileNetV3ToOnnx(file(3, [])), {
    code: 'BAD_MODEL',
    message: /no tensor features\.0\.0\.weight/,
  });
});

test('a file cut short or with changed bytes is refused or read, never anything else', () => {
  const whole = file(3, [['eps', 6, f32(0.5)]]);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readGguf(whole.subarray(0, length)), { code: 'BAD_MODEL' });
  }
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const changed = whole.slice();
      changed[at] = value;
      try {
        readGguf(changed);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'BAD_MODEL');
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});
