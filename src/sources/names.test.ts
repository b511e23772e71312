import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSlashes } from './names.ts';

test('paths of Windows have slashes in the record, and backslashes of other systems stay what they are', () => {
  assert.equal(withSlashes('C:\\photos\\2024/a.jpg', 'win32'), 'C:/photos/2024/a.jpg');
  assert.equal(withSlashes('\\\\server\\share\\a.jpg', 'win32'), '//server/share/a.jpg');
  assert.equal(withSlashes('/photos/a\\b.jpg', 'linux'), '/photos/a\\b.jpg');
});
