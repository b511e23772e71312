/** What is said twice of one object, in every format that has a list for it: both values stay, and that is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from '../../test/contracts/format.ts';
import type { ReaderName } from './format.ts';
import { Reckoning } from './reckoning.ts';

interface Twice {
  readonly what: string;
  readonly format: ReaderName;
  readonly file: string;
  readonly text: string;
  /** Of the region, or where there is none of the image. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly told: RegExp | null;
}

const json = (value: unknown) => JSON.stringify(value);
const supervisely = (tags: unknown[], objects: unknown[] = []) =>
  json({ tags, size: { height: 80, width: 100 }, objects });
const rectangle = (tags: unknown[]) => ({
  geometryType: 'rectangle',
  classTitle: 'cat',
  tags,
  points: {
    exterior: [
      [1, 2],
      [3, 4],
    ],
    interior: [],
  },
});
const size = (value: number) => ({ name: 'size', value });
const choice = (value: string, more: object = {}) => ({
  from_name: 'colour',
  to_name: 'image',
  type: 'choices',
  value: { choices: [value] },
  ...more,
});
const box = {
  id: 'r',
  from_name: 'box',
  to_name: 'image',
  type: 'rectanglelabels',
  original_width: 100,
  original_height: 80,
  value: { x: 1, y: 2, width: 3, height: 4, rotation: 0, rectanglelabels: ['cat'] },
};
const text = (said: string) => ({ from_name: 'note', to_name: 'image', type: 'textarea', value: { text: [said] } });
const task = (parts: object) => json([{ data: { image: '/a.jpg' }, ...parts }]);
const cvat = (inside: string) =>
  `<annotations><image id="0" name="a.jpg" width="100" height="80">${inside}</image></annotations>`;
const red = '<attribute name="colour">red</attribute>';
const blue = '<attribute name="colour">blue</attribute>';
const voc = (inside: string) =>
  `<annotation><filename>a.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>${inside}</object></annotation>`;
const vocAttribute = (value: string) => `<attribute><name>colour</name><value>${value}</value></attribute>`;

const CASES: readonly Twice[] = [
  {
    what: 'Supervisely, tags of an image',
    format: 'supervisely',
    file: 'ann/a.jpg.json',
    text: supervisely([
      { name: 'weather', value: 'sun' },
      { name: 'weather', value: 'rain' },
    ]),
    attributes: { weather: 'sun, rain' },
    told: /^attribute-twice: ann\/a\.jpg\.json tags\[1\]: weather: sun, rain$/,
  },
  {
    what: 'Supervisely, tags of an object',
    format: 'supervisely',
    file: 'ann/a.jpg.json',
    text: supervisely([], [rectangle([size(1), size(2)])]),
    attributes: { size: '1, 2' },
    told: /^attribute-twice: .* objects\[0\]\.tags\[1\]: size: 1, 2$/,
  },
  {
    what: 'the same value twice is one',
    format: 'supervisely',
    file: 'ann/a.jpg.json',
    text: supervisely([], [rectangle([size(1), size(1)])]),
    attributes: { size: 1 },
    told: null,
  },
  {
    what: 'CVAT',
    format: 'cvat',
    file: 'annotations.xml',
    text: cvat(`<box label="cat" xtl="1" ytl="2" xbr="3" ybr="4">${red}${blue}</box>`),
    attributes: { colour: 'red, blue' },
    told: /^attribute-twice: annotations\.xml:1: colour: red, blue$/,
  },
  {
    what: "CVAT, a skeleton's joint says it otherwise than the skeleton",
    format: 'cvat',
    file: 'annotations.xml',
    text: cvat(
      `<skeleton label="cat">${red}<points label="eye" points="1,2" outside="0" occluded="0">${blue}</points></skeleton>`,
    ),
    attributes: { colour: 'red' },
    told: /^attribute-passed-over: annotations\.xml:1: colour: red, blue$/,
  },
  {
    what: 'VOC, an attribute',
    format: 'voc',
    file: 'a.xml',
    text: voc(`<attributes>${vocAttribute('red')}${vocAttribute('blue')}</attributes>`),
    attributes: { colour: 'red, blue' },
    told: /^attribute-twice: a\.xml:1: colour: red, blue$/,
  },
  {
    what: 'VOC, a second class of an object',
    format: 'voc',
    file: 'a.xml',
    text: voc('<name>dog</name>'),
    attributes: {},
    told: /^attribute-passed-over: a\.xml:1: name again: dog$/,
  },
  {
    what: 'Label Studio, two results of one tag',
    format: 'label-studio',
    file: 'tasks.json',
    text: task({ annotations: [{ result: [box, choice('red', { id: 'r' }), choice('blue', { id: 'r' })] }] }),
    attributes: { colour: 'red, blue' },
    told: /^attribute-twice: .*result\[2\]: colour: red, blue$/,
  },
  {
    what: 'Label Studio, two annotators of one image',
    format: 'label-studio',
    file: 'tasks.json',
    text: task({ annotations: [{ result: [text('old')] }, { result: [text('new')] }] }),
    attributes: { note: 'old, new' },
    told: /^attribute-twice: .*annotations\[1\]\.result\[0\]: note: old, new$/,
  },
  {
    what: 'Label Studio, a model after a person',
    format: 'label-studio',
    file: 'tasks.json',
    text: task({ annotations: [{ result: [text('old')] }], predictions: [{ result: [text('new')] }] }),
    attributes: { note: 'old' },
    told: /^attribute-passed-over: .*predictions\[0\]\.result\[0\]: note by a model: new, and old by a person$/,
  },
  {
    what: 'LabelMe, its remark and an attribute of that name',
    format: 'labelme',
    file: 'a.json',
    text: json({
      shapes: [
        {
          label: 'cat',
          shape_type: 'rectangle',
          points: [
            [1, 2],
            [3, 4],
          ],
          attributes: { description: 'thin' },
          description: 'fat',
        },
      ],
      imagePath: 'a.jpg',
    }),
    attributes: { description: 'thin, fat' },
    told: /^attribute-twice: a\.json shapes\[0\]\.description: description: thin, fat$/,
  },
  {
    what: "COCO, a tool's own key and an attribute of that name",
    format: 'coco',
    file: 'a.json',
    text: json({
      images: [{ id: 1, file_name: 'a.jpg' }],
      categories: [{ id: 1, name: 'cat' }],
      annotations: [
        { id: 1, image_id: 1, category_id: 1, bbox: [1, 2, 3, 4], colour: 'red', attributes: { colour: 'blue' } },
      ],
    }),
    attributes: { colour: 'red, blue' },
    told: /^attribute-twice: a\.json annotations\[0\]\.colour: colour: red, blue$/,
  },
];

describe('what is said twice', () => {
  for (const { what, format, file, text: content, attributes, told } of CASES)
    it(what, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { [file]: content });
        const reckoning = new Reckoning();
        const [image] = await readAll(format, folder, { reckoning });
        const [region] = image.regions;
        assert.deepEqual(region === undefined ? image.attributes : (region.details?.attributes ?? {}), attributes);
        const lines = toldOf(reckoning);
        if (told === null) assert.deepEqual(lines, []);
        else assert.match(lines.join('\n'), told);
      }),
    );
});
