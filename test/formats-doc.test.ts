/**
 * The tables of `docs/formats.md` say what the formats say of themselves, which round trips check
 * (`test/contracts/format.ts`). With `LABELSMITH_UPDATE_DOCS=1` they are written anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DETAIL_NAMES, type Format, type Keeps } from '../src/formats/format.ts';
import { FORMATS, READERS } from '../src/formats/table.ts';

const DOC = 'docs/formats.md';

const BOXES: Readonly<Record<Keeps['boxes'], string>> = {
  exact: 'as they are',
  millionths: 'to a millionth',
  'whole-pixels': 'whole pixels',
  outlines: 'round the outline',
  none: '–',
};
const CLASSES: Readonly<Record<Keeps['regionClasses'], string>> = {
  together: 'all',
  apart: 'one entry each',
  best: 'best',
};
const IMAGE_LABELS: Readonly<Record<Keeps['imageLabels'], string>> = { all: 'all', best: 'best', none: '–' };
const mark = (kept: boolean) => (kept ? '✓' : '–');

const COLUMNS: readonly (readonly [string, (format: Format) => string])[] = [
  ['format', ({ name }) => `\`${name}\``],
  ['image classes', ({ keeps }) => IMAGE_LABELS[keeps.imageLabels]],
  ['boxes', ({ keeps }) => BOXES[keeps.boxes]],
  ['classes of a region', ({ keeps }) => (keeps.boxes === 'none' ? '–' : CLASSES[keeps.regionClasses])],
  ['polygons', ({ keeps }) => mark(keeps.polygons)],
  ['masks', ({ keeps }) => mark(keeps.masks)],
  ['keypoints', ({ keeps }) => mark(keeps.keypoints)],
  ['crowd', ({ keeps }) => mark(keeps.crowd)],
  ['confidence', ({ keeps }) => mark(keeps.confidence)],
  ['origin', ({ keeps }) => mark(keeps.origin)],
  ['task', ({ keeps }) => mark(keeps.task)],
  ['region ids', ({ keeps }) => mark(keeps.regionIds)],
  ['"not this"', ({ keeps }) => mark(keeps.rejections)],
  ['size', ({ keeps }) => mark(keeps.size)],
  ['split', ({ keeps }) => mark(keeps.split)],
  ['unlabelled', ({ keeps }) => mark(keeps.unlabelled)],
  [
    'details of a region',
    ({ keeps }) => (keeps.details.length === DETAIL_NAMES.length ? 'all' : keeps.details.join(', ') || '–'),
  ],
  ['who said it', ({ keeps }) => mark(keeps.annotators)],
  ['skeletons', ({ keeps }) => mark(keeps.skeletons)],
];

const IMAGE_FILES: Readonly<Record<Format['imageFiles'], string>> = {
  beside: 'beside, with `--images`',
  always: 'always',
  never: 'never',
};

function tableOf(columns: readonly (readonly [string, (format: Format) => string])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = FORMATS.map((format) => row(columns.map(([, cell]) => cell(format))));
  return [row(columns.map(([head]) => head)), row(columns.map(() => '---')), ...rows].join('\n');
}

const FOREIGN = READERS.filter(({ name }) => !FORMATS.some((format) => format.name === name));

const TABLES: Readonly<Record<string, string>> = {
  formats: tableOf([
    ['format', ({ name }) => `\`${name}\``],
    ['what it is', ({ description }) => description],
    ['OUT', ({ kind }) => kind],
    [
      'image files',
      ({ imageFiles, defaultImages }) =>
        IMAGE_FILES[imageFiles] +
        (imageFiles === 'beside' && defaultImages !== 'none' ? ` (default: ${defaultImages})` : ''),
    ],
  ]),
  keeps: tableOf(COLUMNS),
  foreign: [
    '| format | what it is |',
    '| --- | --- |',
    ...FOREIGN.map(({ name, description }) => `| \`${name}\` | ${description} |`),
  ].join('\n'),
  losses: FORMATS.map(({ name, loses }) => `- \`${name}\`: ${loses.length === 0 ? 'nothing' : loses.join('; ')}.`).join(
    '\n',
  ),
};

function withTables(text: string): string {
  let result = text;
  for (const [name, table] of Object.entries(TABLES)) {
    const [begin, end] = [`<!-- table: ${name} -->`, '<!-- end -->'];
    const from = result.indexOf(begin);
    const to = result.indexOf(end, from);
    assert.ok(from >= 0 && to > from, `${DOC} has a place for the table ${name}`);
    result = `${result.slice(0, from)}${begin}\n${table}\n${result.slice(to)}`;
  }
  return result;
}

test('docs/formats.md says what each format keeps and loses', () => {
  const text = readFileSync(DOC, 'utf8');
  if (process.env.LABELSMITH_UPDATE_DOCS) writeFileSync(DOC, withTables(text));
  else assert.equal(text, withTables(text), `${DOC} is out of date: run this test with LABELSMITH_UPDATE_DOCS=1`);
});

test('a stale table is seen', () => {
  const text = readFileSync(DOC, 'utf8');
  assert.notEqual(withTables(text.replace('| `coco` |', '| `cocoa` |')), text.replace('| `coco` |', '| `cocoa` |'));
});

test('README leads to it', () => {
  assert.match(readFileSync('README.md', 'utf8'), /\(docs\/formats\.md\)/);
});
