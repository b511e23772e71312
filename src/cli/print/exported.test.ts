import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitText } from './exported.ts';

test('an export for YOLO with no split says that it is validated by what it learned from', () => {
  assert.deepEqual(splitText({ format: 'yolo', splits: {} }), [
    '  data.yaml names the same images to train and to validate with: --split train=.8,val=.2 parts them, what is alike together.',
  ]);
  assert.deepEqual(splitText({ format: 'coco', splits: {} }), []);
  assert.deepEqual(splitText({ format: 'yolo-seg', splits: { train: 1200, val: 300 } }), [
    '  train: 1,200',
    '  val: 300',
  ]);
});
