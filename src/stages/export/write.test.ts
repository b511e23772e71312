import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageTaskHint } from './write.ts';

test('who asks YOLO for classes of whole images is told what a YOLO that classifies learns from', () => {
  // Folders of classes in train and val: https://docs.ultralytics.com/datasets/classify/
  const hint = imageTaskHint('yolo', 'my task');
  assert.match(hint, /labelsmith export folders OUT --task 'my task' --split train=\.8,val=\.2/);
  assert.match(imageTaskHint('coco', 'class'), /^Export it to folders, csv or jsonl/);
});
