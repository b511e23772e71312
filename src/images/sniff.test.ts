import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sniffFormat } from './sniff.ts';

test('SVG is known behind declarations and comments, and nothing else is SVG', () => {
  const svg = [
    '<svg>',
    '\ufeff  <?xml version="1.0"?>\n<!-- a > b --><!DOCTYPE svg PUBLIC "x">\n<SVG xmlns="y">',
    '<!----><!-- <svg> --><svg\n',
  ];
  const not = ['', 'svg', '<svgx>', '<html><svg>', '<!-- <svg> --', '<?xml', '<!doctype html><svg>', '<!-->'];
  for (const text of svg) assert.equal(sniffFormat(Buffer.from(text)), 'svg', text);
  for (const text of not) assert.equal(sniffFormat(Buffer.from(text)), undefined, text);
});

test('what was made to take for ever takes no time', { timeout: 5000 }, () => {
  for (const piece of ['<!---->', '<?xml>', '<!--', ' ', '<!doctype svg>', '<']) {
    assert.equal(sniffFormat(Buffer.from(`${piece.repeat(200)}x`)), undefined);
  }
});
