/**
 * Reads CVAT's XML, `for images 1.1` streaming: one image is resident. Of `for video 1.1` the tracks stand one after the
 * other, so all of their shapes are held (about 300 bytes each); frames come as `frame_000000`, as CVAT names them.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { SaxesTagPlain } from 'saxes';
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import { pushTo } from '../../core/lists.ts';
import { hasSignature } from '../../files/own.ts';
import { badFile, fileNameAt } from '../check.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { textPieces } from '../lines.ts';
import { hasRoom, sizeFromText } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { regionsOfShapes, type Shape } from '../shapes.ts';
import { splitOfName } from '../split-names.ts';
import { checkXml, xmlParser } from '../xml.ts';
import { type Frame, type Given, jointOf, labelOf, type OpenShape, SHAPES, shapeOf, writtenAs } from './shape.ts';

/** The task's name in our own exports. */
export const EXPORT_NAME = 'Labelsmith export';
const USUAL_NAME = 'annotations.xml';

interface OpenImage extends Frame {
  /** Null where the name cannot be read: what is in it is left out. */
  readonly file: string | null;
  readonly where: string;
  readonly split: string | null;
  readonly labels: ImportedLabel[];
  readonly shapes: Shape[];
  /** Something stands in it, be it nothing that can be read. */
  isDrawn: boolean;
}

interface Track {
  readonly given: Given;
  readonly where: string;
}

/** @param path the XML file, or a folder with `annotations.xml`, or with a file a split, as Datumaro writes them */
export async function* readCvat(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const [first, ...further] = await filesOf(path, options.reckoning);
  if (further.length === 0) {
    yield* readFile(first, options);
    return;
  }
  const files = [first, ...further].map((file) => ({ name: basename(file), file }));
  yield* filesInTurn(files, options.reckoning, async function* ({ name, file }) {
    await checkXml(file, name);
    yield* readFile(file, options);
  });
}

async function* readFile(file: string, { reckoning, onClass }: ReadOptions): AsyncGenerator<ImportedImage> {
  const name = basename(file);
  const reader = new CvatReader(name, reckoning, onClass);
  for await (const piece of textPieces(file, name)) yield* reader.take(piece);
  yield* reader.end();
}

async function filesOf(path: string, reckoning: Reckoning): Promise<[string, ...string[]]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path);
  const usual = join(path, USUAL_NAME);
  if (names.includes(USUAL_NAME)) return [usual];
  const found: string[] = [];
  for (const name of names.filter((one) => /\.xml$/i.test(one)).sort()) {
    const file = join(path, name);
    if (await hasSignature(file, { holds: '<annotations' })) found.push(file);
    else reckoning.note('file-passed-over', name, 'it is no XML of CVAT');
  }
  const [first, ...further] = found;
  return first === undefined ? [usual] : [first, ...further];
}

class CvatReader {
  readonly #name: string;
  readonly #reckoning: Reckoning;
  readonly #onClass: ReadOptions['onClass'];
  readonly #parser: ReturnType<typeof xmlParser>;
  readonly #depth: string[] = [];
  #image: OpenImage | null = null;
  #track: Track | null = null;
  #shape: (OpenShape & { said: Map<string, string>; points: [number, number, 0 | 1 | 2][] }) | null = null;
  #joints: string[] = [];
  #attribute: string | null = null;
  #text = '';
  #done: ImportedImage[] = [];
  /** Of tracks. */
  readonly #frames = new Map<number, Shape[]>();
  #videoSize: { width: number | null; height: number | null } = { width: null, height: null };
  #own = false;

  constructor(name: string, reckoning: Reckoning, onClass: ReadOptions['onClass']) {
    this.#name = name;
    this.#reckoning = reckoning;
    this.#onClass = onClass;
    this.#parser = xmlParser(name);
    this.#parser.on('opentag', (tag) => this.#open(tag));
    this.#parser.on('closetag', (tag) => this.#close(tag.name));
    const gather = (text: string) => {
      if (this.#attribute !== null || this.#depth[1] === 'meta') this.#text += text;
    };
    this.#parser.on('text', gather);
    this.#parser.on('cdata', gather);
  }

  /** Images that a piece of the file completes. */
  take(piece: string): ImportedImage[] {
    this.#parser.write(piece);
    const done = this.#done;
    this.#done = [];
    return done;
  }

  end(): ImportedImage[] {
    this.#parser.close();
    const frames = [...this.#frames].sort(([a], [b]) => a - b);
    const ofFrames = frames.map(([frame, shapes]) => {
      const file = `frame_${String(frame).padStart(6, '0')}`;
      const where = `${this.#name} frame ${frame}`;
      return this.#imageOf({ ...this.#videoSize, file, where, split: null, labels: [], shapes, isDrawn: true });
    });
    return [...this.#done, ...ofFrames.filter((image) => image !== null)];
  }

  get #where(): string {
    return `${this.#name}:${this.#parser.line}`;
  }

  #open({ name: tag, attributes }: SaxesTagPlain): void {
    if (this.#depth.length === 0 && tag !== 'annotations')
      throw badFile(this.#where, `<annotations> was expected, not <${tag}>`);
    this.#depth.push(tag);
    if (this.#depth[1] === 'meta') this.#text = '';
    if (this.#shape !== null) {
      if (tag === 'attribute') {
        this.#attribute = attributes.name ?? '';
        this.#text = '';
      } else if (tag === 'points' && this.#shape.tag === 'skeleton') this.#addJoint(attributes);
    } else if (this.#image !== null || this.#track !== null) {
      if (SHAPES.has(tag) || tag === 'tag') this.#openShape(tag, attributes);
    } else if (this.#depth.length === 2) {
      if (tag === 'image') this.#openImage(attributes);
      else if (tag === 'track') this.#track = { given: attributes, where: this.#where };
    }
  }

  #openImage(given: Given): void {
    const where = this.#where;
    const size = (key: string) => sizeFromText(given[key], `${where} ${key}`, this.#reckoning);
    this.#image = {
      file: this.#reckoning.attempt('image-unreadable', () => fileNameAt(given.name, `${where} name`)),
      width: size('width'),
      height: size('height'),
      where,
      // CVAT puts every image into a subset, this one where nobody chose one.
      split:
        given.subset === undefined
          ? splitOfName(basename(this.#name, extname(this.#name)))
          : given.subset === 'default'
            ? null
            : splitOr(given.subset),
      labels: [],
      shapes: [],
      isDrawn: false,
    };
  }

  #openShape(tag: string, given: Given): void {
    const track = this.#track;
    const label = track === null ? given.label : track.given.label;
    this.#shape = {
      tag,
      given: {
        ...(track?.given.group_id !== undefined && { group_id: track.given.group_id }),
        ...given,
        ...(label !== undefined && { label }),
      },
      said: new Map(),
      where: this.#where,
      points: [],
      trackId: track?.given.id ?? null,
    };
    this.#joints = [];
  }

  #addJoint(given: Given): void {
    const joint = this.#reckoning.attempt('keypoints-left-out', () => jointOf(given, this.#where));
    if (joint === null) return;
    this.#shape?.points.push(joint);
    this.#joints.push(given.label ?? '');
  }

  #close(tag: string): void {
    this.#depth.pop();
    if (this.#depth[0] === 'annotations' && this.#depth[1] === 'meta') this.#closeMeta(tag);
    if (this.#attribute !== null && tag === 'attribute') {
      this.#sayAttribute(this.#attribute, this.#text);
      this.#attribute = null;
    } else if (this.#shape !== null && this.#depth.length === 2) {
      this.#closeShape(this.#shape);
      this.#shape = null;
    } else if (this.#image !== null && this.#depth.length === 1) {
      const image = this.#imageOf(this.#image);
      if (image !== null) this.#done.push(image);
      this.#image = null;
    } else if (this.#depth.length === 1) this.#track = null;
  }

  /** Attributes of a skeleton's joints stand inside it too; the first word of a name is the skeleton's own. */
  #sayAttribute(name: string, value: string): void {
    const said = this.#shape?.said;
    const known = said?.get(name);
    if (known === undefined) said?.set(name, value);
    if (known === undefined || known === value) return;
    const what = `${name}: ${known}, ${value}`;
    if (this.#depth.at(-1) === 'points') this.#reckoning.note('attribute-passed-over', this.#where, what);
    else {
      this.#reckoning.note('attribute-twice', this.#where, what);
      said?.set(name, `${known}, ${value}`);
    }
  }

  #closeMeta(tag: string): void {
    const below = this.#depth.slice(2).join('/');
    if (tag === 'name' && (below === 'task' || below === 'job')) this.#own ||= this.#text === EXPORT_NAME;
    if (this.#depth.at(-1) === 'original_size' && (tag === 'width' || tag === 'height'))
      this.#videoSize[tag] = sizeFromText(this.#text, `${this.#where} ${tag}`, this.#reckoning);
  }

  #closeShape(shape: OpenShape): void {
    if (this.#image !== null) this.#image.isDrawn = true;
    if (this.#image?.file === null) return;
    if (writtenAs(shape.said) !== null) this.#own = true;
    if (shape.tag === 'tag') {
      const label = this.#reckoning.attempt('label-unreadable', () =>
        labelOf(shape.given, shape.said, shape.where, this.#reckoning),
      );
      if (label !== null) this.#image?.labels.push(label);
      return;
    }
    const frame: Frame = this.#image ?? this.#videoSize;
    // A track's shape goes on until one says that it is outside.
    if (this.#image === null && shape.given.outside === '1') return;
    const made = this.#reckoning.attempt('object-unreadable', () => shapeOf(shape, frame, this.#reckoning));
    if (made === null) return;
    if (shape.tag === 'skeleton' && this.#joints.every((name) => name !== ''))
      this.#onClass?.({ className: made.labels[0].className, skeleton: { keypointNames: this.#joints, edges: [] } });
    if (this.#image !== null) {
      if (hasRoom(this.#image.shapes, shape.where, this.#reckoning)) this.#image.shapes.push(made);
    } else {
      const number = Number(shape.given.frame);
      if (!Number.isSafeInteger(number)) return;
      pushTo(this.#frames, number, made);
    }
  }

  #imageOf({ file, shapes, isDrawn, ...image }: OpenImage): ImportedImage | null {
    if (file === null) return null;
    if (!isDrawn && !this.#own) this.#reckoning.note('nothing-drawn', image.where, file);
    return {
      ...image,
      file,
      regions: regionsOfShapes(shapes, this.#reckoning),
      ...(this.#own ? { ownExport: true as const } : {}),
    };
  }
}

function splitOr(name: string): string | null {
  return name === '' ? null : (splitOfName(name) ?? name);
}
