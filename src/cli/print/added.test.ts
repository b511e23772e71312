/** What `add` passes over by its name, in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassedOverTally } from '../../stages/add/passed-over.ts';
import { passedOverText } from './added.ts';

function textOf(paths: readonly string[]): string[] {
  const tally = new PassedOverTally();
  for (const path of paths) tally.add(path);
  return passedOverText(tally.counts());
}

test('files that are no images by their names are counted by their endings, the most frequent first', () => {
  assert.deepEqual(textOf([]), []);
  assert.deepEqual(textOf(['/a/1.xml', '/a/2.XML', '/a.b/README', '/a/notes.txt', '/a/3.xml']), [
    "Not looked at, since their names are no images': 5 files (3 .xml, 1 of other names, 1 .txt).",
  ]);
});

test('who has videos is told what makes pictures of them', () => {
  assert.deepEqual(textOf(['/phone/IMG_0001.MOV']), [
    "Not looked at, since their names are no images': 1 file (1 .mov).",
    '  Pictures of a video: labelsmith capture VIDEO --to FOLDER, then add the folder.',
  ]);
});

test('names that only look as if they had endings make no long list', () => {
  const [line] = textOf(['a.b', 'a.c', 'a.d', 'a.e', 'a.f', 'a.g', 'v1.2-final copy', 'x.averylongword']);
  assert.equal(
    line,
    "Not looked at, since their names are no images': 8 files (2 of other names, 1 .b, 1 .c, 1 .d, 1 .e, …).",
  );
});
