/**
 * Labelbox's exports (docs.labelbox.com/reference/label-export, "export v2"): a line a data row, whose projects have labels
 * with objects (`bounding_box`, `polygon`, `point`, `line`) and classifications. Its older JSON, a list with `Labeled Data` and
 * `Label`, has the same objects under other names. Masks are pictures at an address, and are told as left out.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ImportedImage, ImportedLabel } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, type JsonObject, objectAt } from '../check.ts';
import { detailsOfAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { isJsonList } from '../json-stream.ts';
import { sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { splitOfName } from '../split-names.ts';
import { imagesOfRows, type Row, rowsOfLines, rowsOfList } from './images.ts';
import {
  boxForm,
  cornersAt,
  imageOf,
  labelOf,
  numbersAt,
  outlineAsBox,
  pointForm,
  pointsAt,
  polygonForm,
  shapeOf,
  shapesIn,
} from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const rows = rowsOf(path, reckoning);
  yield* imagesOfRows(rows, { reckoning, unreadable: 'row-unreadable' }, (row, where) =>
    imageOfRow(row, where, reckoning),
  );
}

async function* rowsOf(path: string, reckoning: Reckoning): AsyncGenerator<Row> {
  const name = basename(path);
  if (!(await stat(path)).isDirectory() && (await isJsonList(path, name))) {
    yield* rowsOfList(path, name);
    return;
  }
  yield* rowsOfLines(path, {
    reckoning,
    ending: /\.(?:ndjson|jsonl)$/i,
    hint: 'Labelbox exports a file with a line a data row.',
  });
}

interface Labels {
  readonly label: JsonObject;
  readonly where: string;
  readonly annotator: string | null;
}

function imageOfRow(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const isNew = row.data_row !== undefined;
  const data = isNew ? objectAt(row.data_row, `${where} data_row`) : row;
  const names = isNew
    ? [text(data.external_id), text(data.global_key), text(data.row_data)]
    : [text(row['External ID']), text(row['Global Key']), text(row['Labeled Data'])];
  const [file, ...otherNames] = names.filter((name) => name !== '');
  if (file === undefined) throw badFile(where, 'nothing says which image it is (external_id, global_key, row_data)');
  const media = row.media_attributes == null ? {} : objectAt(row.media_attributes, `${where} media_attributes`);
  const details = isNew && data.details != null ? objectAt(data.details, `${where} data_row.details`) : {};
  const split = text(details.dataset_split) || text(row['Data Split']);
  if (!isNew && isSkipped(row)) reckoning.note('image-not-labelled', where, file);
  const shapes: Shape[] = [];
  const labels: ImportedLabel[] = [];
  for (const { label, where: at, annotator } of isNew ? labelsOfProjects(row, where) : labelsOfOlder(row, where)) {
    const context = { annotator, reckoning };
    shapes.push(
      ...shapesIn(label.objects, `${at}.objects`, reckoning, (one, place) => shapeOfObject(one, place, context)),
    );
    for (const answer of answersIn(label.classifications, `${at}.classifications`))
      if (answer.kind === 'class') labels.push(labelOf(answer.value, null, annotator));
      else reckoning.note('attribute-passed-over', `${at}.classifications`, answer.name);
  }
  return imageOf(
    {
      file,
      otherNames,
      width: sizeFrom(media.width, `${where} media_attributes.width`, reckoning),
      height: sizeFrom(media.height, `${where} media_attributes.height`, reckoning),
      labels,
      shapes,
      where,
      split: split === '' ? null : (splitOfName(split.toLowerCase()) ?? split.toLowerCase()),
    },
    reckoning,
  );
}

function labelsOfProjects(row: JsonObject, where: string): Labels[] {
  return Object.entries(objectAt(row.projects ?? {}, `${where} projects`)).flatMap(([id, project]) => {
    const at = `${where} projects.${id}`;
    return arrayAt(objectAt(project, at).labels ?? [], `${at}.labels`).map((given, i) => {
      const one = objectAt(given, `${at}.labels[${i}]`);
      const by = one.label_details == null ? {} : objectAt(one.label_details, `${at}.labels[${i}].label_details`);
      const label = objectAt(one.annotations ?? {}, `${at}.labels[${i}].annotations`);
      if (label.frames !== undefined || one.frames !== undefined) throw badFile(at, 'labels of a video');
      return {
        label,
        where: `${at}.labels[${i}]`,
        annotator: typeof by.created_by === 'string' ? by.created_by : null,
      };
    });
  });
}

function isSkipped({ Label: label }: JsonObject): boolean {
  return label === 'Skip' || label == null;
}

function labelsOfOlder(row: JsonObject, where: string): Labels[] {
  if (isSkipped(row)) return [];
  const annotator = typeof row['Created By'] === 'string' ? row['Created By'] : null;
  return [{ label: objectAt(row.Label, `${where} Label`), where: `${where} Label`, annotator }];
}

interface Context {
  readonly annotator: string | null;
  readonly reckoning: Reckoning;
}

function shapeOfObject(row: JsonObject, where: string, { annotator, reckoning }: Context): Shape | null {
  const form = formOf(row, where, reckoning);
  if (form === null) {
    reckoning.note('object-elsewhere', where);
    return null;
  }
  // Several answers to one question are what check boxes are for.
  const answers = Map.groupBy(answersIn(row.classifications, `${where}.classifications`), ({ name }) => name);
  const attributes = Object.fromEntries(
    [...answers].map(([name, all]) => [name, all.map(({ value }) => value).join(', ')]),
  );
  return shapeOf(form, {
    className: classNameAt(row.name ?? row.title ?? row.value, `${where}.name`),
    where,
    annotator,
    details: detailsOfAttributes(attributes, null),
  });
}

/** Null for a mask at an address. */
function formOf(row: JsonObject, where: string, reckoning: Reckoning): Shape['form'] | null {
  const box = row.bounding_box ?? row.bbox;
  if (box != null) return boxForm(cornersAt(box, ['left', 'top', 'width', 'height'], where), where, reckoning);
  if (row.polygon != null) return polygonForm(pointsAt(row.polygon, `${where}.polygon`), where);
  if (row.point != null) {
    return pointForm(numbersAt(row.point, ['x', 'y'], `${where}.point`), `${where}.point`);
  }
  if (row.line != null) return outlineAsBox(pointsAt(row.line, `${where}.line`), 'line', where, reckoning);
  if (row.mask != null || row.composite_mask != null || row.instanceURI != null) return null;
  throw badFile(where, 'no shape that can be read');
}

interface Answer {
  /** Texts are no classes. */
  readonly kind: 'class' | 'text';
  /** The question. */
  readonly name: string;
  readonly value: string;
}

/** Radio buttons and check boxes are classes; the questions below an answer come along. */
function answersIn(value: unknown, where: string): Answer[] {
  return (value == null ? [] : arrayAt(value, where)).flatMap((given, i) => {
    const at = `${where}[${i}]`;
    const row = objectAt(given, at);
    const name = classNameAt(row.name ?? row.title ?? row.value, `${at}.name`);
    const one = row.radio_answer ?? (typeof row.answer === 'object' && !Array.isArray(row.answer) ? row.answer : null);
    const many = row.checklist_answers ?? row.answers ?? (Array.isArray(row.answer) ? row.answer : null);
    const chosen = [...(one == null ? [] : [one]), ...(many == null ? [] : arrayAt(many, at))];
    const answers = chosen.flatMap((answer): Answer[] => {
      const said = objectAt(answer, at);
      const className = classNameAt(said.name ?? said.title ?? said.value, `${at}.name`);
      return [{ kind: 'class', name, value: className }, ...answersIn(said.classifications, `${at}.classifications`)];
    });
    const content = row.text_answer == null ? row.answer : objectAt(row.text_answer, at).content;
    return typeof content === 'string' ? [...answers, { kind: 'text', name, value: content }] : answers;
  });
}
