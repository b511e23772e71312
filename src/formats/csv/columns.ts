/**
 * What the columns of a table of labels mean: our own, and those of the tables that other tools write (Roboflow,
 * TensorFlow's object detection, Hugging Face, Open Images, VoTT, and what people call such columns). A table is told by
 * its header alone.
 */
import { LabelsmithError } from '../../errors.ts';

export const LABEL_COLUMNS: readonly string[] = ['file', 'class', 'confidence', 'origin', 'task'];
export const BOX_COLUMNS: readonly string[] = ['x1', 'y1', 'x2', 'y2'];

/** What one cell of a row says. */
export type Role =
  | 'file'
  | 'class'
  | 'confidence'
  | 'origin'
  | 'task'
  | 'region'
  | 'not'
  | 'split'
  | 'annotator'
  | 'frame-width'
  | 'frame-height'
  | 'occluded'
  | 'truncated'
  | 'difficult'
  | 'crowd';

/** Columns whose cells hold any number of classes, where no other column has the class. */
const SEVERAL = ['labels', 'tags', 'classes', 'categories', 'class_names', 'label_names', 'class_labels'];

/** Names of columns, the first being ours; compared in lower case, with blanks and dashes as underscores. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  file: [
    'file',
    'filename',
    'file_name',
    'image',
    'image_path',
    'imagepath',
    'image_file',
    'image_name',
    'img',
    'path',
    'file_path',
    'filepath',
    'imageid',
    'image_id',
    'image_url',
    'image_uri',
    'img_path',
    'url',
  ],
  class: [
    'class',
    'label',
    'class_name',
    'classname',
    'category',
    'category_name',
    'labelname',
    'label_name',
    'class_label',
    'ground_truth',
    'ground_truth.label',
    ...SEVERAL,
  ],
  confidence: ['confidence', 'score', 'prob', 'probability', 'conf'],
  origin: ['origin'],
  task: ['task'],
  region: ['region'],
  not: ['not'],
  split: ['split', 'subset', 'set', 'partition'],
  annotator: ['annotator', 'annotated_by', 'labeller', 'labeler', 'worker', 'worker_id'],
  'frame-width': ['image_width', 'img_width', 'width'],
  'frame-height': ['image_height', 'img_height', 'height'],
  occluded: ['isoccluded', 'is_occluded', 'occluded'],
  truncated: ['istruncated', 'is_truncated', 'truncated'],
  difficult: ['difficult', 'is_difficult'],
  crowd: ['isgroupof', 'is_group_of', 'iscrowd', 'crowd'],
};

/** Corners, or a corner and a size. */
const CORNERS: readonly (readonly string[])[] = [
  ['x1', 'y1', 'x2', 'y2'],
  ['xmin', 'ymin', 'xmax', 'ymax'],
  ['x_min', 'y_min', 'x_max', 'y_max'],
  ['left', 'top', 'right', 'bottom'],
  ['bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2'],
];
const SIZES: readonly (readonly string[])[] = [
  ['x', 'y', 'w', 'h'],
  ['x', 'y', 'width', 'height'],
  ['left', 'top', 'width', 'height'],
  ['bbox_x', 'bbox_y', 'bbox_width', 'bbox_height'],
  ['bbox_x', 'bbox_y', 'bbox_w', 'bbox_h'],
];
/** The middle and a size. */
const CENTRES: readonly (readonly string[])[] = [
  ['x_center', 'y_center', 'width', 'height'],
  ['xcenter', 'ycenter', 'width', 'height'],
  ['x_centre', 'y_centre', 'width', 'height'],
  ['center_x', 'center_y', 'width', 'height'],
  ['x_center', 'y_center', 'w', 'h'],
  ['cx', 'cy', 'w', 'h'],
  ['cx', 'cy', 'width', 'height'],
  ['xc', 'yc', 'w', 'h'],
];
/** A cell that holds all four: `[x, y, width, height]`. */
const BOX_CELLS = ['bbox', 'box', 'bounding_box'];

/** Columns that say nothing of labels, of tables that we know. */
const SILENT = new Set(['why', 'guess', 'crop', 'sha256', 'source', 'isdepiction', 'isinside', 'id', '']);

export type BoxColumns = {
  /** Called as our own exports call them, whose boxes are in pixels however small. */
  readonly own: boolean;
} & (
  | { readonly kind: 'corners' | 'size' | 'centre'; readonly columns: readonly number[] }
  | { readonly kind: 'cell'; readonly column: number }
);

export interface Columns {
  /** A table that we wrote. */
  readonly own: boolean;
  /** Position of the cell; a role that the table does not have is left out. */
  readonly at: Readonly<Partial<Record<Role, number>>>;
  readonly box: BoxColumns | null;
  /** Cells of the class's column may name several (`class-cell.ts`). */
  readonly several: boolean;
  /** A column a class with 0 or 1 in it, in tables of that kind. */
  readonly classColumns: readonly { readonly className: string; readonly column: number }[];
  /** Boxes are fractions of the image. */
  readonly fractions: boolean;
  /** A class as 1 of 0 to 1 that people verified to be there or, with 0, not (Open Images' labels of images). */
  readonly verified: boolean;
  /** Names of columns that nothing is made of, as written. */
  readonly passedOver: readonly string[];
}

const plain = (cell: string) =>
  cell
    .trim()
    .toLowerCase()
    .replace(/^#\s*/, '')
    .replace(/[\s-]+/g, '_');

/** A cell of a table that has no header. */
const isNumber = (name: string) => /^[-+]?[\d.]+$/.test(name);

/** @param where the header's line, for messages */
export function columnsOf(header: readonly string[], where: string): Columns {
  const names = header.map(plain);
  const place = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    if (name !== '' && place.has(name) && !isNumber(name))
      throw new LabelsmithError('BAD_FILE', `${where}: the column ${name} comes twice`, { details: { where } });
    place.set(name, i);
  }
  const box = boxColumns(place);
  const used = new Set<number>(box === null ? [] : box.kind === 'cell' ? [box.column] : box.columns);
  const at: Partial<Record<Role, number>> = {};
  for (const [role, known] of Object.entries(NAMES) as [Role, readonly string[]][]) {
    const column = known.map((name) => place.get(name)).find((found) => found !== undefined && !used.has(found));
    if (column === undefined) continue;
    at[role] = column;
    used.add(column);
  }
  const rest = names.flatMap((name, i) => (used.has(i) || SILENT.has(name) ? [] : [i]));
  const classColumns =
    at.file !== undefined && at.class === undefined && box === null
      ? rest.map((column) => ({ className: header[column].trim(), column }))
      : [];
  if (at.file === undefined || (at.class === undefined && classColumns.length === 0)) throw missing(header, at, where);
  const openImages = place.has('imageid') && place.has('labelname');
  return {
    own: isOwnHeader(header),
    at,
    box,
    several: at.class !== undefined && SEVERAL.includes(names[at.class]),
    classColumns,
    fractions: openImages,
    verified: openImages && box === null,
    passedOver: classColumns.length > 0 ? [] : rest.map((column) => header[column].trim()),
  };
}

/** The columns that our own export writes, in its order; the split's, where there is one, stands behind them. */
function isOwnHeader(header: readonly string[]): boolean {
  const own = [...LABEL_COLUMNS, ...BOX_COLUMNS, 'split'];
  return header.length >= own.length - 1 && header.length <= own.length && header.every((name, i) => name === own[i]);
}

function boxColumns(place: ReadonlyMap<string, number>): BoxColumns | null {
  const find = (sets: readonly (readonly string[])[]) =>
    sets.map((set) => set.map((name) => place.get(name) ?? -1)).find((columns) => !columns.includes(-1));
  const corners = find(CORNERS);
  if (corners !== undefined) return { kind: 'corners', columns: corners, own: place.has(CORNERS[0][0]) };
  const size = find(SIZES);
  if (size !== undefined) return { kind: 'size', columns: size, own: false };
  const centre = find(CENTRES);
  if (centre !== undefined) return { kind: 'centre', columns: centre, own: false };
  const cell = BOX_CELLS.map((name) => place.get(name)).find((column) => column !== undefined);
  return cell === undefined ? null : { kind: 'cell', column: cell, own: false };
}

function missing(header: readonly string[], at: Columns['at'], where: string): LabelsmithError {
  const names = (['file', 'class'] as const).filter((role) => at[role] === undefined);
  return new LabelsmithError('BAD_FILE', `${where}: the header has no column ${names.join(', ')}`, {
    hint:
      `The first line names the columns, at least file,class (or filename, image, label, category …); ` +
      `it has ${header.join(',').slice(0, 200)}.`,
    details: { where },
  });
}
