import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathNames } from './paths.ts';

const SOURCES = ['/home/alice/photos', '/mnt/a/photos', '/home/alice/photos/shoot.zip', '/srv/lists/all.txt'];
const names = pathNames(SOURCES, '/home/alice');

test('what is below a source is named from its folder, what is elsewhere by its last part', () => {
  const cases = [
    ['/home/alice/photos/day 1/x.jpg', 'photos/day 1/x.jpg'],
    ['/mnt/a/photos/x.jpg', 'photos (2)/x.jpg'],
    ['/home/alice/photos/shoot.zip!/in/x.jpg', 'shoot.zip!/in/x.jpg'],
    ['/home/alice/photos2/x.jpg', '~/photos2/x.jpg'],
    ['/home/alice/notes.txt', '~/notes.txt'],
    ['/mnt/customer/secret/x.jpg', 'x.jpg'],
    ['file:///mnt/customer/secret/x%20y.jpg', 'x y.jpg'],
    ['s3://key:secret@bucket/a/x.jpg?X-Amz-Signature=1', 's3://bucket/a/x.jpg'],
    ['photos/x.jpg', 'photos/x.jpg'],
    ['/srv/lists/all.txt', 'all.txt'],
    ['C:\\Users\\alice\\x.jpg', 'x.jpg'],
  ] as const;
  assert.deepEqual(
    cases.map(([path]) => names.path(path)),
    cases.map(([, expected]) => expected),
  );
});

test('paths within text and settings', () => {
  assert.equal(names.text("ENOENT: open '/home/alice/photos/x.jpg'"), "ENOENT: open 'photos/x.jpg'");
  assert.equal(names.text('cannot read /var/lib/customer/x.csv:3 and a/b'), 'cannot read …/x.csv:3 and a/b');
  assert.equal(names.text('see https://example.org/a/b/c'), 'see https://example.org/a/b/c');
  assert.deepEqual(names.value({ path: '/mnt/customer x/l.csv', n: 3, of: ['/home/alice/photos', null] }), {
    path: 'l.csv',
    n: 3,
    of: ['photos', null],
  });
});

test('a user without a home', () => {
  assert.equal(pathNames([], '').path('/x/y.jpg'), 'y.jpg');
});
