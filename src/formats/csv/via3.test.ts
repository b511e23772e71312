/** VGG Image Annotator 3: the comments, rows and project that its `_via_import_export.js` and `_via_data.js` write. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inTemporaryFolder, readAll, writeFiles } from '../../../test/contracts/format.ts';
import { describeRecognised } from '../../../test/contracts/layouts.ts';

const attribute = {
  '1': { aname: 'type', anchor_id: 'FILE1_Z0_XY1', type: 3, desc: '', options: { '0': 'cat', '1': 'dog' } },
  '2': { aname: 'note', anchor_id: 'FILE1_Z0_XY1', type: 1, desc: '', options: {} },
  '3': { aname: 'class', anchor_id: 'FILE1_Z0_XY0', type: 2, desc: '', options: { a: 'indoor', b: 'night' } },
};
const HEAD = [
  '# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)',
  '# Notes:',
  '# - metadata of {""1"":""3""} indicates attribute with id "1" set to an attribute option with id "3"',
  '# SHAPE_ID = {"POINT":1,"RECTANGLE":2,"CIRCLE":3,"ELLIPSE":4,"LINE":5,"POLYLINE":6,"POLYGON":7,"EXTREME_RECTANGLE":8}',
  `# ATTRIBUTE = ${JSON.stringify(attribute)}`,
  '# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata',
].join('\n');
const cell = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
const row = (file: string, shape: readonly number[], said: object) =>
  `"1_x",${cell([file])},0,"[]",${cell(shape)},${cell(said)}`;

describeRecognised('VIA 3', [
  {
    what: 'csv: shapes, choices by number, several choices of a picture, and a text',
    format: 'csv',
    path: 'via.csv',
    files: {
      'via.csv': `${HEAD}\n${[
        row('a.jpg', [2, 10, 20, 50, 40], { '1': '0', '2': 'by the door' }),
        row('a.jpg', [3, 100, 50, 20], { '1': '1' }),
        row('a.jpg', [7, 10, 10, 50, 10, 50, 60], { '1': '0' }),
        row('b.jpg', [8, 5, 30, 20, 10, 40, 25, 15, 60], { '1': '1' }),
        row('b.jpg', [], { '3': 'a,b' }),
        row('c.jpg', [9, 1, 2, 3, 4, 5, 6], { '1': '1' }),
      ].join('\n')}\n`,
    },
    want: [
      'a.jpg - cat 10 20 60 60 {"attributes":{"note":"by the door"}}',
      'a.jpg - dog 80 30 120 70',
      'a.jpg - cat 10 10 50 60',
      'b.jpg - dog 5 10 40 60',
      'b.jpg - indoor',
      'b.jpg - night',
    ],
    told: ['row-unreadable', 'shape-as-box'],
  },
  {
    what: 'csv: of early builds, whose comment has names alone',
    format: 'csv',
    path: 'via.csv',
    files: {
      'via.csv': `# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)\n# ATTRIBUTES = {"1":"label"}\n${row('a.jpg', [2, 1, 2, 3, 4], { '1': 'cat' })}\n`,
    },
    want: ['a.jpg - cat 1 2 4 6'],
  },
  {
    what: 'csv: the project as it was saved',
    format: 'csv',
    path: 'via_project.json',
    files: {
      'via_project.json': JSON.stringify({
        project: { pid: '__VIA_PROJECT_ID__', pname: 'P', data_format_version: '3.1.1', vid_list: ['1', '2'] },
        config: {},
        attribute,
        file: {
          '1': { fid: '1', fname: 'a.jpg', type: 2, loc: 1, src: '' },
          '2': { fid: '2', fname: 'b.jpg', src: 'x/b.jpg' },
        },
        metadata: {
          '1_m': { vid: '1', flg: 0, z: [], xy: [2, 10, 20, 50, 40], av: { '1': '0' } },
          '2_m': { vid: '2', flg: 0, z: [], xy: [], av: { '3': 'b' } },
          '3_m': { vid: '9', flg: 0, z: [], xy: [], av: {} },
        },
        view: { '1': { fid_list: ['1'] }, '2': { fid_list: ['2'] } },
      }),
    },
    want: ['a.jpg - cat 10 20 60 60', 'b.jpg|x/b.jpg - night'],
    told: ['object-unreadable'],
  },
]);

it('csv: lines of comments count for the line that a problem is at', () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { 'via.csv': `${HEAD}\n${row('a.jpg', [2, 1, 2, 3, 4], { '1': '0' })}\n` });
    assert.deepEqual(
      (await readAll('csv', `${folder}/via.csv`)).map(({ where }) => where),
      ['via.csv:7'],
    );
  }));
