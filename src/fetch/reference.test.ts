import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { baseNameOf, parseReference, type Reference } from './reference.ts';

const CASES: readonly (readonly [text: string, expected: Reference | null])[] = [
  [
    'npm:@some/models@1.2.3-rc.1+b#a/b c.bin',
    { kind: 'npm', packageName: '@some/models', version: '1.2.3-rc.1+b', file: 'a/b c.bin' },
  ],
  ['npm:models@1.0.0#net.onnx', { kind: 'npm', packageName: 'models', version: '1.0.0', file: 'net.onnx' }],
  ['npm:models#net.onnx', null],
  ['npm:models@1.0.0', null],
  ['npm:models@1.0.0#../net.onnx', null],
  ['npm:models@1.0.0#/etc/passwd', null],
  [
    'hf:own/repo-1@refs/pr/1#onnx/model.onnx',
    { kind: 'hf', owner: 'own', repo: 'repo-1', revision: 'refs/pr/1', file: 'onnx/model.onnx' },
  ],
  ['hf:own/repo#model.onnx', null],
  [
    'pypi:some.models-lite0@0.1.0rc1#some_models/net.pth',
    { kind: 'pypi', packageName: 'some.models-lite0', version: '0.1.0rc1', file: 'some_models/net.pth' },
  ],
  ['pypi:--index-url@1.0#a', null],
  ['pypi:models@--pre#a', null],
  ['pypi:models@1.0#../a', null],
  ['https://example.org/a.onnx?x=1', { kind: 'url', url: 'https://example.org/a.onnx?x=1', secure: true }],
  ['http://example.org/a.onnx', { kind: 'url', url: 'http://example.org/a.onnx', secure: false }],
  ['ftp://example.org/a.onnx', null],
  ['file:///tmp/a%20b.onnx', { kind: 'file', path: '/tmp/a b.onnx' }],
  ['file:net.onnx', { kind: 'file', path: resolve('net.onnx') }],
  ['file:', null],
  ['net.onnx', null],
];

for (const [text, expected] of CASES) {
  test(`${text} ${expected ? `is ${expected.kind}` : 'is refused'}`, () => {
    if (expected) assert.deepEqual(parseReference(text), expected);
    else assert.throws(() => parseReference(text), LabelsmithError);
  });
}

test('a reference’s base name', () => {
  assert.equal(baseNameOf('npm:@some/models@1.2.3#a/net.bin'), 'net.bin');
  assert.equal(baseNameOf('https://example.org/a/net.onnx?token=b/c'), 'net.onnx');
  assert.equal(baseNameOf('file:net.onnx'), 'net.onnx');
});
