/** The picture of the architecture, and its table of folders, against the sources. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { drawHouse } from '../tools/architecture/draw.ts';
import { ROOMS, roomImports, sources } from '../tools/architecture/layout.ts';

test('the picture is that of the imports', () => {
  const drawn = drawHouse(ROOMS, roomImports(sources()));
  assert.ok(
    readFileSync('docs/architecture.svg', 'utf8') === drawn,
    'docs/architecture.svg is out of date: npm run docs:architecture',
  );
});

test('the table names the folders in their order', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const named = [...text.matchAll(/^\| `([a-z]+)\/` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    named,
    ROOMS.map(({ name }) => name),
  );
});

test('a room stands on what it imports, and an import that another way stands for has no arrow', () => {
  const rooms = ['a', 'b', 'c', 'd'].map((name) => ({ name, owns: '' }));
  const svg = drawHouse(
    rooms,
    new Map([
      ['a', []],
      ['b', ['a']],
      ['c', ['a', 'b']],
      ['d', ['a']],
    ]),
  );
  // b → a, c → b and d → a, but not c → a.
  assert.equal(svg.match(/class="arrow"/g)?.length, 3);
  const y = new Map([...svg.matchAll(/y="([\d.]+)">([abcd])\//g)].map(([, at, name]) => [name, Number(at)]));
  assert.ok(y.get('a')! > y.get('b')! && y.get('b')! > y.get('c')!);
  assert.equal(y.get('d'), y.get('b'));
});
