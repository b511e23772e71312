import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportName, rootNames } from './export-name.ts';

test('roots are told apart by the folders above them, and no name lies within another', () => {
  const cases: readonly (readonly [roots: readonly string[], names: readonly string[]])[] = [
    [['/x/photos'], ['']],
    [
      ['/x/photos', '/x/scans'],
      ['photos', 'scans'],
    ],
    [
      ['/x/photos', '/y/photos', '/z/set.zip'],
      ['x/photos', 'y/photos', 'set.zip'],
    ],
    [
      ['/a/x/photos', '/b/x/photos', '/b/y/photos'],
      ['a/x/photos', 'b/x/photos', 'y/photos'],
    ],
    // `x` would hold the files of `x/photos`.
    [
      ['/x/photos', '/y/photos', '/z/x'],
      ['x/photos', 'y/photos', 'z/x'],
    ],
    // No folder above tells them apart.
    [
      ['/photos', '/x/photos'],
      ['photos', 'x/photos'],
    ],
    [
      ['/', '/x'],
      ['root', 'x'],
    ],
  ];
  for (const [roots, names] of cases) {
    assert.deepEqual(rootNames(roots), new Map(roots.map((root, i) => [root, names[i]])));
    assert.deepEqual(rootNames(roots.toReversed()), rootNames(roots), 'whatever the order');
  }
});

test('a name is the end of the path, which is how it is found again', () => {
  const roots = ['/x/photos', '/y/photos', '/y/set.zip'];
  const names = rootNames(roots);
  assert.equal(exportName('/y/p.jpg', '/y/p.jpg', new Map([['/y/p.jpg', 'p.jpg']])), 'p.jpg', 'a file by itself');
  assert.equal(exportName('/y/photos/a/1.jpg', '/y/photos', names), 'y/photos/a/1.jpg');
  assert.equal(exportName('/y/set.zip!/in/3.jpg', '/y/set.zip', names), 'set.zip/in/3.jpg');
});
