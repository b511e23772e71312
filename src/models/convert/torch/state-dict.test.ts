/** Files of PyTorch's weights that are what they say, that are made up to do harm, and that are damaged. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mutated } from '../../../../test/fixtures/mutations.ts';
import fc from '../../../../test/properties.ts';
import { LabelsmithError } from '../../../errors.ts';
import { efficientNetLiteToOnnx } from '../efficientnet-lite.ts';
import { readPickle } from './pickle.ts';
import { readStateDict } from './state-dict.ts';

const TINY = new Uint8Array(
  readFileSync(new URL('../../../../test/fixtures/efficientnet-lite-tiny.pth', import.meta.url)),
);

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
/** Pickles of protocol 2, written as Python writes them. */
const P = '\x80\x02';
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const HEAD = `${P}\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.${P}M\xe9\x03.${P}}.`;
const STORAGE = `(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x04NtQ`;

/** A file with one dictionary, in which `w` is `tensor`, and one storage of four floats: 1, 2, 3, 4. */
function fileOf(tensor: string, { keys = `${P}](${text('0')}e.`, count = 4 } = {}): Uint8Array {
  const object = `${P}ccollections\nOrderedDict\n)R(${text('w')}${tensor}u.`;
  const storage = new Uint8Array(8 + 16);
  new DataView(storage.buffer).setBigInt64(0, BigInt(count), true);
  storage.set(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer), 8);
  return Uint8Array.from([...latin1(HEAD + object + keys), ...storage]);
}

const tensor = (offset: number, dims: readonly number[], strides: readonly number[]) => {
  const tuple = (numbers: readonly number[]) => `(${numbers.map((n) => `K${String.fromCharCode(n)}`).join('')}t`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${STORAGE}K${String.fromCharCode(offset)}${tuple(dims)}${tuple(strides)}\x89NtR`;
};

test('a tensor is read row by row, whatever order its elements lie in', () => {
  const rows = readStateDict(fileOf(tensor(0, [2, 2], [2, 1])));
  assert.deepEqual(rows.names, ['w']);
  assert.deepEqual([...(rows.tensor('w')?.data ?? [])], [1, 2, 3, 4]);
  assert.deepEqual([...(readStateDict(fileOf(tensor(0, [2, 2], [1, 2]))).tensor('w')?.data ?? [])], [1, 3, 2, 4]);
  const part = readStateDict(fileOf(tensor(1, [3], [1]))).tensor('w');
  assert.deepEqual([...(part?.data ?? [])], [2, 3, 4]);
  assert.equal(rows.tensor('v'), undefined);
});

function refusal(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => readStateDict(bytes),
    (error) => {
      assert.ok(error instanceof LabelsmithError);
      assert.equal(error.code, 'BAD_MODEL');
      assert.match(error.message, message);
      return true;
    },
  );
}

test('whatever would run a program is refused by its name', () => {
  refusal(fileOf(`cos\nsystem\n(${text('true')}tR`), /would run or make os\.system/);
  refusal(fileOf(`c__builtin__\neval\n(${text('1')}tR`), /would run or make __builtin__\.eval/);
  refusal(fileOf(`ctorch\nload\n)R`), /torch\.load/);
  // INST and OBJ make objects too, and EXT looks names up in a registry.
  refusal(fileOf('(ios\nsystem\n'), /operation 0x69/);
  refusal(fileOf('(cos\nsystem\no'), /os\.system/);
  refusal(fileOf('\x82\x01'), /operation 0x82/);
  const stackGlobal = `\x8c\x05posix\x8c\x06system\x93`;
  refusal(fileOf(stackGlobal), /posix\.system/);
});

test('what is named may only be used for what it is', () => {
  refusal(fileOf(`ctorch\nFloatStorage\n)R`), /calls torch\.FloatStorage/);
  refusal(fileOf(`ccollections\nOrderedDict\n(${text('a')}tR`), /a dictionary that is made of other things/);
  refusal(fileOf(`]}b`), /state of an object that is no dictionary/);
  refusal(fileOf(`${text('x')}Q`), /reference to what is no storage/);
});

test('a tensor stays within its storage, and repeats nothing of it', () => {
  refusal(fileOf(tensor(2, [3], [1])), /reaches beyond its storage/);
  refusal(fileOf(tensor(0, [2, 2], [4, 1])), /reaches beyond its storage/);
  // A view that repeats one element 2^32 times would fill the memory.
  refusal(fileOf(tensor(0, [200, 200], [0, 0])), /reaches beyond its storage/);
  refusal(fileOf(tensor(0, [4], [1]), { count: 5 }), /not as long as its tensors say/);
  refusal(fileOf(tensor(0, [4], [1])).subarray(0, -3), /in the middle of its weights/);
  refusal(fileOf(tensor(0, [4], [1]), { keys: `${P}].` }), /in a storage that is not there/);
});

test('a dictionary within itself ends, and what is no file of weights is told', () => {
  // state_dict is the dictionary itself (kept as 0), which holds no tensors.
  refusal(latin1(`${HEAD}${P}}q\0(${text('state_dict')}h\0u.${P}].`), /holds no tensors/);
  refusal(latin1('PK\x03\x04'), /zip archive/);
  refusal(latin1(''), /ends in the middle/);
  refusal(latin1(`${P}K\x01.`), /does not begin as one/);
  assert.deepEqual(readPickle(latin1(`${P}(K\x01\x88Nt.`)).value, { kind: 'tuple', items: [1, true, null] });
});

test('damaged files are refused or read, and nothing else happens', () => {
  const whole = Buffer.from(TINY);
  let refusals = 0;
  for (let i = 0; i < 200; i++) {
    try {
      efficientNetLiteToOnnx(new Uint8Array(mutated(whole, whole, i)));
    } catch (error) {
      assert.ok(error instanceof LabelsmithError, `${i}: ${String(error)}`);
      refusals++;
    }
  }
  assert.ok(refusals > 50);
});

test('any bytes as a pickle end in a value or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        readPickle(bytes);
      } catch (error) {
        assert.ok(error instanceof LabelsmithError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
