/**
 * Reads Pascal VOC: a folder with `Annotations/`, a folder of XML files, or one XML file.
 * Resident: about 100 bytes an image of `ImageSets/Main`, where there is one.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { LabelsmithError } from '../../errors.ts';
import { badFile, classNameAt, numberIn, shown, sizeAt } from '../check.ts';
import { linesOf } from '../lines.ts';
import { splitExtension } from '../names.ts';
import { listFolder, readSmallText, walkFiles } from '../walk.ts';
import { xmlParser } from '../xml.ts';

export async function* readVoc(path: string): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield await readOne(path, basename(path), splitExtension(basename(path))[0], null);
    return;
  }
  const { folders } = await listFolder(path);
  const below = folders.includes('Annotations') ? 'Annotations' : '';
  const splitOf = await readSplits(join(path, 'ImageSets', 'Main'));
  let found = false;
  for await (const file of walkFiles(join(path, below))) {
    if (!file.toLowerCase().endsWith('.xml')) continue;
    found = true;
    const stem = file.slice(0, -4);
    const name = below === '' ? file : `${below}/${file}`;
    yield await readOne(join(path, name), name, stem, splitOf.get(stem) ?? null);
  }
  if (!found && below === '') throw badFile(path, 'there are no XML files in it', 'VOC has them in Annotations/.');
}

/** Lists of names with nothing beside them; those of one class (`cat_train.txt`) have a second column. */
async function readSplits(folder: string): Promise<Map<string, string>> {
  const splitOf = new Map<string, string>();
  for (const file of (await listFolder(folder)).files) {
    const split = file.slice(0, -4);
    if (!file.endsWith('.txt') || split === 'default' || split === 'trainval') continue;
    for await (const { text } of linesOf(join(folder, file), `ImageSets/Main/${file}`)) {
      if (/\s-?[01]$/.test(text)) break;
      if (text !== '') splitOf.set(text, split);
    }
  }
  return splitOf;
}

/** What the elements that matter said, with the line each ended on. */
interface Gathered {
  readonly texts: Map<string, { text: string; line: number }>;
  readonly objects: { texts: Map<string, { text: string; line: number }>; line: number }[];
}

async function readOne(path: string, name: string, stem: string, split: string | null): Promise<ImportedImage> {
  const text = await readSmallText(path, name);
  if (text === null) throw new LabelsmithError('NOT_FOUND', `${name} is not there any more`);
  if (text.trim() === '') throw badFile(name, 'the file is empty');
  const { texts, objects } = gather(text, name);
  const fileName = texts.get('filename')?.text.trim() ?? '';
  const folder = dirname(stem);
  const below = fileName.includes('/') || folder === '.' ? '' : `${folder}/`;
  const size = (tag: string) => {
    const given = texts.get(`size/${tag}`);
    // Some tools write 0 where they do not know it.
    if (given === undefined || given.text.trim() === '0') return null;
    const where = `${name}:${given.line} size ${tag}`;
    return sizeAt(numberIn(given.text, where), where);
  };
  return {
    file: fileName === '' ? stem : below + fileName,
    width: size('width'),
    height: size('height'),
    labels: [],
    regions: objects.map((object) => regionOf(object, name)),
    where: name,
    split,
  };
}

function gather(text: string, name: string): Gathered {
  const parser = xmlParser(name);
  const open: string[] = [];
  const found: Gathered = { texts: new Map(), objects: [] };
  let content = '';
  parser.on('opentag', ({ name: tag }) => {
    if (open.length === 0 && tag !== 'annotation')
      throw badFile(`${name}:${parser.line}`, `<annotation> was expected, not <${tag}>`);
    open.push(tag);
    content = '';
    if (open.length === 2 && tag === 'object') found.objects.push({ texts: new Map(), line: parser.line });
  });
  parser.on('text', (piece) => {
    content += piece;
  });
  parser.on('cdata', (piece) => {
    content += piece;
  });
  parser.on('closetag', () => {
    const inside = open[1] === 'object' && open.length > 2;
    const texts = inside ? (found.objects.at(-1) as Gathered['objects'][number]).texts : found.texts;
    const key = open.slice(inside ? 2 : 1).join('/');
    if (!texts.has(key)) texts.set(key, { text: content, line: parser.line });
    content = '';
    open.pop();
  });
  parser.write(text).close();
  return found;
}

function regionOf({ texts, line }: Gathered['objects'][number], name: string): ImportedRegion {
  const className = texts.get('name');
  if (className === undefined) throw badFile(`${name}:${line}`, 'the object has no name');
  const corner = (tag: string) => {
    const given = texts.get(`bndbox/${tag}`);
    if (given === undefined) throw badFile(`${name}:${line}`, `the object has no bndbox ${tag}`);
    return numberIn(given.text, `${name}:${given.line} ${tag}`);
  };
  const [xmin, ymin, xmax, ymax] = ['xmin', 'ymin', 'xmax', 'ymax'].map(corner) as [number, number, number, number];
  if (xmax < xmin || ymax < ymin)
    throw badFile(`${name}:${line}`, `the box ${shown([xmin, ymin, xmax, ymax])} has a negative size`);
  // Tools that count from 0 write corners of 0, which have no pixel before them.
  const box: Box = [Math.max(xmin - 1, 0), Math.max(ymin - 1, 0), xmax, ymax];
  const text = classNameAt(className.text, `${name}:${className.line} name`);
  return {
    box,
    unit: 'pixels',
    score: null,
    labels: [{ className: text, confidence: null, origin: null, task: null }],
    mask: null,
    polygons: null,
    keypoints: null,
    crowd: false,
  };
}
