import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { CATALOGUE, ROLES } from './catalogue.ts';
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

test('every model of the catalogue has pinned sources and a licence that permits use', () => {
  const ids = CATALOGUE.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, licence, role, source } of CATALOGUE) {
    assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(['MIT', 'Apache-2.0', 'BSD-3-Clause'].includes(licence), `${id}: ${licence}`);
    assert.ok(ROLES.includes(role));
    for (const { reference, sha256 } of source.files) {
      assert.equal(parseReference(reference).kind, 'npm');
      assert.match(sha256 ?? '', /^[0-9a-f]{64}$/, reference);
    }
  }
});
