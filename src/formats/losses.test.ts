import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lossText } from './losses.ts';

it('says one as one, and several as several', () => {
  assert.equal(lossText('classes of whole images', 1), '1 class of a whole image');
  assert.equal(lossText('classes of whole images', 1200), '1,200 classes of whole images');
  assert.equal(lossText('other classes of an image', 1), '1 other class of an image');
});
