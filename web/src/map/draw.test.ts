import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hueOf, luminanceOf, type Rgb } from './draw.ts';

function rgbOf(hex: string): Rgb {
  const byte = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [byte(0), byte(2), byte(4)];
}

test('luminance is that of WCAG, which its own tools give', () => {
  // https://webaim.org/resources/contrastchecker: #777777 on white is 4.48 to 1, #ff0000 4.0 (3.998) to 1.
  assert.equal((1.05 / (luminanceOf([0x77, 0x77, 0x77]) + 0.05)).toFixed(2), '4.48');
  assert.equal((1.05 / (luminanceOf([255, 0, 0]) + 0.05)).toFixed(2), '4.00');
});

test('each class stands out from the map, light or dark: three to one, as WCAG asks of graphics', () => {
  const css = readFileSync(new URL('../app/style.css', import.meta.url), 'utf8');
  const papers = /--paper: light-dark\(#(\w{6}), #(\w{6})\)/.exec(css)?.slice(1) ?? [];
  assert.equal(papers.length, 2);
  for (const paper of papers) {
    for (let place = -1; place < 64; place++) {
      const both = [luminanceOf(hueOf(place)), luminanceOf(rgbOf(paper))].sort((a, b) => b - a);
      const contrast = ((both[0] ?? 0) + 0.05) / ((both[1] ?? 0) + 0.05);
      assert.ok(contrast >= 3, `class ${place} on #${paper}: ${contrast}`);
    }
  }
});
