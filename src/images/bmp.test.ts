import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import { decodeUpright } from './decode.ts';
import { inspect } from './inspect.ts';
import { BadImageError } from './reasons.ts';

/**
 * Bitmaps of 5 × 3 pixels, and the colours that Pillow 12.3 reads in them. Those with no program in their name were put together
 * after Microsoft's description of the format. The last but one is as FFmpeg 5.1 reads it: Pillow drops the last colour of an odd
 * number of them that stands for itself.
 */
const BITMAPS: readonly (readonly [what: string, base64: string, rgb: string])[] = [
  [
    '24 bits, by Pillow',
    'Qk1mAAAAAAAAADYAAAAoAAAABQAAAAMAAAABABgAAAAAADAAAADEDgAAxA4AAAAAAAAAAAAAEjG7b/1Fmt+Es8XXrHbQAAfHTRVRIIkPmtrG8kTjygC9QnkGIfJ3hPDz8GJ2TcsA',
    '7942bdf22106f0847762f0f3cb4d764dc7072051159a0f89f2c6dacae344bb311245fd6f84df9ad7c5b3d076ac',
  ],
  [
    '8 bits of a palette, by Pillow',
    'Qk1mAAAAAAAAAE4AAAAoAAAABQAAAAMAAAABAAgAAAAAABgAAADEDgAAxA4AAAYAAAAGAAAAm+aQADviSQCssOgAZ1HHAAYh8gB0NmYABAEAAgIAAAABBQUCAAAAAAUEAwADAAAA',
    '663674f22106c7516790e69bc7516749e23b663674663674e8b0ac90e69bf2210649e23b90e69be8b0ace8b0ac',
  ],
  [
    '1 bit, by Pillow',
    'Qk1KAAAAAAAAAD4AAAAoAAAABQAAAAMAAAABAAEAAAAAAAwAAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wBwAAAAmAAAAFAAAAA=',
    '000000ffffff000000ffffff000000ffffff000000000000ffffffffffff000000ffffffffffffffffff000000',
  ],
  [
    'rgb565le, by ffmpeg',
    'Qk1mAAAAAAAAAEIAAAAoAAAABQAAAAMAAAABABAAAwAAACQAAAAAAAAAAAAAAAAAAAAAAAAAAPgAAOAHAAAfAAAAIVNOrlOu1bZUvAAAp10AEy55n/3RzgAArLlssVSdWb4vowAA',
    'bd3462b42c629caaa4bdcacda4657b5ab6391061007b2473ffb2ffcdda8b526508acca73acca9cb4daacbd89a4',
  ],
  [
    'rgb555le, by ffmpeg',
    'Qk1aAAAAAAAAADYAAAAoAAAABQAAAAMAAAABABAAAAAAACQAAAAAAAAAAAAAAAAAAAAAAAAAoSkuVzNXdVs0XgAA5y6ACY48335xZwAAzFzMWLROOV+PUQAA',
    'bd3162b431629caca4bdcdcda4627b5abd391062007b2073ffb4ffcdde8b526a08accd73accd9cb4deacbd8ba4',
  ],
  [
    'bgra, by ffmpeg',
    'Qk1yAAAAAAAAADYAAAAoAAAABQAAAAMAAAABACAAAAAAADwAAAAAAAAAAAAAAAAAAAAAAAAAEjG7/2/9Rf+a34T/s8XX/6x20P8Hx03/FVEg/4kPmv/axvL/ROPK/71Cef8GIfL/d4Tw//PwYv92Tcv/',
    '7942bdf22106f0847762f0f3cb4d764dc7072051159a0f89f2c6dacae344bb311245fd6f84df9ad7c5b3d076ac',
  ],
  [
    'rows from above',
    'Qk1mAAAAAAAAADYAAAAoAAAABQAAAP3///8BABgAAAAAADAAAAATCwAAEwsAAAAAAAAAAAAAvUJ5BiHyd4Tw8/Bidk3LAAfHTRVRIIkPmtrG8kTjygASMbtv/UWa34SzxdesdtAA',
    '7942bdf22106f0847762f0f3cb4d764dc7072051159a0f89f2c6dacae344bb311245fd6f84df9ad7c5b3d076ac',
  ],
  [
    '4 bits of a palette',
    'Qk2CAAAAAAAAAHYAAAAoAAAABQAAAAMAAAABAAQAAAAAAAwAAAATCwAAEwsAABAAAAAAAAAAvUJ5AAYh8gB3hPAA8/BiAHZNywAHx00AFVEgAIkPmgDaxvIAROPKABIxuwBv/UUAmt+EALPF1wCsdtAAAAAAAAEjQABWeJAAq83gAA==',
    'bb311245fd6f84df9ad7c5b3d076ac4dc7072051159a0f89f2c6dacae3447942bdf22106f0847762f0f3cb4d76',
  ],
  [
    '8 bits in runs, with colours as they are and a jump',
    'Qk2MAAAAAAAAAHYAAAAoAAAABQAAAAMAAAABAAgAAQAAABYAAAATCwAAEwsAABAAAAAAAAAAvUJ5AAYh8gB3hPAA8/BiAHZNywAHx00AFVEgAIkPmgDaxvIAROPKABIxuwBv/UUAmt+EALPF1wCsdtAAAAAAAAUBAAAAAwIDBAACBgAAAAICAAMJAAE=',
    '7942bd7942bdcae344cae344cae344f0847762f0f3cb4d76205115205115f22106f22106f22106f22106f22106',
  ],
  [
    '4 bits in runs',
    'Qk2IAAAAAAAAAHYAAAAoAAAABQAAAAMAAAABAAQAAgAAABIAAAATCwAAEwsAABAAAAAAAAAAvUJ5AAYh8gB3hPAA8/BiAHZNywAHx00AFVEgAIkPmgDaxvIAROPKABIxuwBv/UUAmt+EALPF1wCsdtAAAAAAAAUSAAAABTRWcAAAAAOrAswAAQ==',
    'bb311245fd6fbb311284df9a84df9a62f0f3cb4d764dc7072051159a0f89f22106f08477f22106f08477f22106',
  ],
  [
    "OS/2's header",
    'Qk1WAAAAAAAAAEoAAAAMAAAABQADAAEABAC9QnkGIfJ3hPDz8GJ2TcsHx00VUSCJD5raxvJE48oSMbtv/UWa34SzxdesdtAAAAABI0AAVniQAKvN4AA=',
    'bb311245fd6f84df9ad7c5b3d076ac4dc7072051159a0f89f2c6dacae3447942bdf22106f0847762f0f3cb4d76',
  ],
];
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

for (const [what, base64, rgb] of BITMAPS) {
  test(`a bitmap has the pixels that Pillow reads: ${what}`, async () => {
    const { width, height, pixels } = await decodeUpright(bytesOf(base64));
    assert.deepEqual([width, height], [5, 3]);
    // Five bits as eight are rounded, and cut by others.
    const far = [...Buffer.from(rgb, 'hex')].filter((value, i) => Math.abs(value - (pixels[i] ?? 0)) > 1);
    assert.deepEqual(far, []);
    assert.equal((await inspect(bytesOf(base64))).format, 'bmp');
  });
}

/** Two pixels side by side, blue, green, red, alpha each, with masks for all four. */
function withAlpha(pixels: readonly number[]): Uint8Array {
  const file = Buffer.alloc(14 + 56 + pixels.length);
  file.write('BM');
  file.writeUInt32LE(14 + 56, 10);
  file.writeUInt32LE(56, 14);
  file.writeInt32LE(2, 18);
  file.writeInt32LE(1, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(32, 28);
  file.writeUInt32LE(3, 30);
  for (const [i, mask] of [0xff0000, 0xff00, 0xff, 0xff000000].entries()) file.writeUInt32LE(mask, 54 + 4 * i);
  file.set(pixels, 14 + 56);
  return new Uint8Array(file);
}

test('clear pixels lie on white, unless all are, which programs write that know no alpha', async () => {
  const some = await decodeUpright(withAlpha([0, 0, 255, 255, 0, 255, 0, 0]));
  assert.deepEqual([...some.pixels], [255, 0, 0, 255, 255, 255]);
  const none = await decodeUpright(withAlpha([0, 0, 255, 0, 0, 255, 0, 0]));
  assert.deepEqual([...none.pixels], [255, 0, 0, 0, 255, 0]);
});

const reasonOf = (bytes: Uint8Array, maxPixels?: number) =>
  decodeUpright(bytes, { maxPixels }).then(
    () => 'decoded',
    (error: unknown) => {
      assert.ok(error instanceof BadImageError, String(error));
      return error.reason;
    },
  );

test('cut, too large or of another kind: the reason says which', async () => {
  for (const [what, base64] of BITMAPS) {
    const bytes = bytesOf(base64);
    assert.equal(await reasonOf(bytes.subarray(0, bytes.length - 3)), 'truncated', what);
    assert.equal(await reasonOf(bytes.subarray(0, 20)), 'truncated', what);
    assert.equal(await reasonOf(bytes, 14), 'too-large', what);
  }
  const withJpeg = bytesOf(BITMAPS[0]?.[1] ?? '');
  withJpeg[30] = 4;
  assert.equal(await reasonOf(withJpeg), 'unsupported');
});

test('garbled bytes: an image or a reason, never anything else', async () => {
  const files = BITMAPS.map(([, base64]) => bytesOf(base64));
  const change = fc.tuple(fc.nat(199), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      async (file, changes) => {
        const broken = Uint8Array.from(file);
        for (const [at, value] of changes) if (at > 1) broken[at % broken.length] = value;
        await reasonOf(broken, 100_000);
      },
    ),
    { numRuns: 400, seed: 11 },
  );
});
