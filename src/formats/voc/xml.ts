/** What stands in one XML file of Pascal VOC, as text, with the line each element ended on. */
import { badFile } from '../check.ts';
import { xmlParser } from '../xml.ts';

export interface VocText {
  readonly text: string;
  readonly line: number;
}

export interface VocObject {
  /** By path below the object: `bndbox/xmin`. */
  readonly texts: ReadonlyMap<string, VocText>;
  /** Of `<attributes><attribute>`, as CVAT and Datumaro write them: names with values. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** Elements that nothing is made of, and what was said again of those that are read once. */
  readonly passedOver: readonly string[];
  readonly line: number;
}

export interface VocFile {
  /** By path below the root: `size/width`. */
  readonly texts: ReadonlyMap<string, VocText>;
  readonly objects: readonly VocObject[];
}

/** Elements of an object that are read, or say nothing. */
const KNOWN = new Set([
  'name',
  'pose',
  'truncated',
  'difficult',
  'occluded',
  'bndbox',
  'robndbox',
  'polygon',
  'attributes',
  'type',
  'id',
]);

/** Deeper than any tool writes; the path to an element is made at each. */
const MAX_DEPTH = 64;

interface OpenObject {
  readonly texts: Map<string, VocText>;
  readonly attributes: [name: string, value: string][];
  readonly passedOver: string[];
  readonly line: number;
  attribute: string;
}

export function gather(text: string, name: string): VocFile {
  const parser = xmlParser(name);
  const open: string[] = [];
  const texts = new Map<string, VocText>();
  const objects: OpenObject[] = [];
  let content = '';
  parser.on('opentag', ({ name: tag }) => {
    if (open.length === 0 && tag !== 'annotation')
      throw badFile(`${name}:${parser.line}`, `<annotation> was expected, not <${tag}>`);
    if (open.length >= MAX_DEPTH)
      throw badFile(`${name}:${parser.line}`, `elements are nested more than ${MAX_DEPTH} deep`);
    open.push(tag);
    content = '';
    const inObject = open[1] === 'object';
    if (inObject && open.length === 2)
      objects.push({ texts: new Map(), attributes: [], passedOver: [], line: parser.line, attribute: '' });
    if (inObject && open.length === 3 && !KNOWN.has(tag)) objects.at(-1)?.passedOver.push(tag);
  });
  parser.on('text', (piece) => {
    content += piece;
  });
  parser.on('cdata', (piece) => {
    content += piece;
  });
  parser.on('closetag', () => {
    const object = open[1] === 'object' && open.length > 2 ? objects.at(-1) : undefined;
    const key = open.slice(object === undefined ? 1 : 2).join('/');
    if (key === 'attributes/attribute/name' && object !== undefined) object.attribute = content;
    else if (key === 'attributes/attribute/value') object?.attributes.push([object.attribute, content]);
    else {
      const known = object?.texts ?? texts;
      const first = known.get(key);
      if (first === undefined) known.set(key, { text: content, line: parser.line });
      else if (object !== undefined && KNOWN.has(open[2]) && first.text.trim() !== content.trim())
        object.passedOver.push(`${key} again: ${content.trim()}`);
    }
    content = '';
    open.pop();
  });
  parser.write(text).close();
  return { texts, objects };
}
