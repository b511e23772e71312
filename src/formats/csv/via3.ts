/**
 * VGG Image Annotator, version 3 (robots.ox.ac.uk/~vgg/software/via): its CSV, whose first lines are comments that hold
 * the attributes, and its project as JSON. A row is one region, or what is said of a whole picture; its shape is a list of
 * a number for the kind and the coordinates, its attributes are by number. What they are called decides, as in version 2,
 * which is the class (`via.ts`).
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { arrayAt, badFile, fileNameAt, type JsonObject, jsonOf, numberAt, objectAt, shown } from '../check.ts';
import { csvRows } from '../csv-table.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf, textPieces } from '../lines.ts';
import type { Reckoning } from '../reckoning.ts';
import { regionOf, viaImage } from './via.ts';

/** How the CSV begins. */
const FIRST_LINE = /^\uFEFF?"?# Exported using VGG Image Annotator/;
const HEADER = 'metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata';

/** @param start the file's first characters or cells */
export function isVia3(start: string): boolean {
  return FIRST_LINE.test(start);
}

/** Whether the file is this one's CSV. */
export async function beginsAsVia3(path: string, name: string): Promise<boolean> {
  for await (const piece of textPieces(path, name)) return isVia3(piece);
  return false;
}

/** An attribute by its number: its name, and what the numbers of its choices stand for. */
type AttributeTable = ReadonlyMap<string, { readonly name: string; readonly options: ReadonlyMap<string, string> }>;

/** One image a row; rows of one image follow each other. */
export async function* readVia3(path: string, name: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const attributes = await attributesOfHead(path, name);
  const onFault = (fault: Error) => {
    reckoning.attempt('row-unreadable', () => {
      throw fault;
    });
  };
  for await (const { where, cells } of csvRows(path, name, { onFault, comments: '#' })) {
    const image = reckoning.attempt('row-unreadable', () => {
      if (cells.length < 6) throw badFile(where, `6 cells are needed (${HEADER}), and the row has ${cells.length}`);
      const [, files, , , shape, said] = cells;
      const names = arrayAt(jsonOf(files, `${where} file_list`), `${where} file_list`);
      if (names.length !== 1) throw badFile(`${where} file_list`, `one picture was expected, not ${names.length}`);
      const file = fileNameAt(names[0], `${where} file_list`);
      const of = { shape: jsonOf(shape, `${where} spatial_coordinates`), said: jsonOf(said, `${where} metadata`) };
      return imageOf(file, of, { where, attributes, reckoning });
    });
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

/** @param whole the project as it was saved */
export function* via3Project(whole: JsonObject, name: string, reckoning: Reckoning): Generator<ImportedImage> {
  const attributes = attributesIn(whole.attribute, `${name} attribute`);
  const files = objectAt(whole.file, `${name} file`);
  const views = objectAt(whole.view, `${name} view`);
  for (const [id, given] of Object.entries(objectAt(whole.metadata, `${name} metadata`))) {
    const where = `${name} metadata.${id}`;
    const image = reckoning.attempt('object-unreadable', () => {
      const { vid, xy, av } = objectAt(given, where);
      const of = arrayAt(objectAt(views[String(vid)], `${name} view.${vid}`).fid_list, `${name} view.${vid}`);
      if (of.length !== 1) throw badFile(`${where}.vid`, `a view of one picture was expected, not of ${of.length}`);
      const at = `${name} file.${of[0]}`;
      const { fname, src } = objectAt(files[String(of[0])], at);
      const image = imageOf(
        fileNameAt(fname, `${at}.fname`),
        { shape: xy, said: av },
        { where, attributes, reckoning },
      );
      return typeof src === 'string' && src !== '' && src !== fname ? { ...image, otherNames: [src] } : image;
    });
    if (image !== null) yield image;
  }
}

/** Whether JSON that begins so is a project of this version. */
export function looksLikeVia3(head: string): boolean {
  return (
    /"project"\s*:\s*\{/.test(head) && /"pid"\s*:/.test(head) && /"(?:vid_list|data_format_version)"\s*:/.test(head)
  );
}

interface Context {
  readonly where: string;
  readonly attributes: AttributeTable;
  readonly reckoning: Reckoning;
}

function imageOf(
  file: string,
  { shape, said }: { readonly shape: unknown; readonly said: unknown },
  { where, attributes, reckoning }: Context,
): ImportedImage {
  const meant = spelledOut(objectAt(said, `${where} metadata`), attributes, `${where} metadata`);
  const numbers = arrayAt(shape, `${where} spatial_coordinates`).map((one) =>
    numberAt(one, `${where} spatial_coordinates`),
  );
  if (numbers.length === 0) return { ...viaImage(file, meant, where), regions: [] };
  const region = regionOf(shapeOf(numbers, where), meant, where, reckoning);
  return { ...viaImage(file, {}, where), regions: region === null ? [] : [region] };
}

/** By names in place of numbers: of several choices an object, as version 2 has it. */
function spelledOut(said: JsonObject, attributes: AttributeTable, where: string): JsonObject {
  const meant: Record<string, unknown> = {};
  for (const [id, value] of Object.entries(said)) {
    const { name, options } = attributes.get(id) ?? { name: id, options: new Map<string, string>() };
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string') throw badFile(`${where}.${id}`, `a text was expected, not ${shown(value)}`);
    const chosen = text.split(',').map((part) => options.get(part.trim()));
    const known = chosen.flatMap((choice) => (choice === undefined ? [] : [choice]));
    const isChoice = options.size > 0 && known.length === chosen.length;
    meant[name] = isChoice ? Object.fromEntries(known.map((choice) => [choice, true])) : text;
  }
  return meant;
}

/** The shape as version 2 writes it. */
function shapeOf([kind, ...numbers]: readonly number[], where: string): JsonObject {
  const at = `${where} spatial_coordinates`;
  const needed = { 1: 2, 2: 4, 3: 3, 4: 4 }[kind] ?? 4;
  if (numbers.length < needed) throw badFile(at, `${needed} coordinates are needed, and there are ${numbers.length}`);
  const [a, b, c, d] = numbers;
  const points = {
    all_points_x: numbers.filter((_, i) => i % 2 === 0),
    all_points_y: numbers.filter((_, i) => i % 2 === 1),
  };
  switch (kind) {
    case 1:
      return { name: 'point', cx: a, cy: b };
    case 2:
      return { name: 'rect', x: a, y: b, width: c, height: d };
    case 3:
      return { name: 'circle', cx: a, cy: b, r: c };
    case 4:
      return { name: 'ellipse', cx: a, cy: b, rx: c, ry: d };
    case 5:
    case 6:
      return { name: 'polyline', ...points };
    case 7:
      return { name: 'polygon', ...points };
    case 8:
      return extremeRectangle(points);
    default:
      throw badFile(at, `${kind} is no kind of shape that can be read`);
  }
}

/** Given by the outermost points of the thing. */
function extremeRectangle(points: { readonly all_points_x: number[]; readonly all_points_y: number[] }): JsonObject {
  const [x, y] = [Math.min(...points.all_points_x.slice(0, 4)), Math.min(...points.all_points_y.slice(0, 4))];
  const [right, bottom] = [Math.max(...points.all_points_x.slice(0, 4)), Math.max(...points.all_points_y.slice(0, 4))];
  return { name: 'rect', x, y, width: right - x, height: bottom - y };
}

/** Of the comments before the rows: `# ATTRIBUTE = {…}`, in early builds `# ATTRIBUTES = {"1":"name"}`. */
async function attributesOfHead(path: string, name: string): Promise<AttributeTable> {
  for await (const { text, number } of linesOf(path, name)) {
    const line = text.replace(/^\uFEFF/, '').trim();
    if (line !== '' && !/^"?#/.test(line)) break;
    const found = /^#\s*ATTRIBUTES?\s*=\s*(\{.*\})/.exec(line);
    if (found !== null) return attributesIn(jsonOf(found[1], `${name}:${number}`), `${name}:${number}`);
  }
  return new Map();
}

function attributesIn(value: unknown, where: string): AttributeTable {
  const rows = value == null ? [] : Object.entries(objectAt(value, where));
  return new Map(
    rows.map(([id, given]) => {
      if (typeof given === 'string') return [id, { name: given, options: new Map<string, string>() }];
      const { aname, options } = objectAt(given, `${where}.${id}`);
      const choices = options == null ? {} : objectAt(options, `${where}.${id}.options`);
      return [
        id,
        {
          name: typeof aname === 'string' && aname !== '' ? aname : id,
          options: new Map(Object.entries(choices).map(([key, choice]) => [key, String(choice)])),
        },
      ];
    }),
  );
}
