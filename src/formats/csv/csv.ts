/**
 * CSV: a row a label, `file,class,confidence,origin,task,x1,y1,x2,y2`. Rows of whole images leave the box empty, images
 * with no label the class. Boxes are in pixels, corner to corner. Reading needs `file` and `class` only; a column
 * `region` (of the questions that `teach select` asks) names a region of the workspace that a row is about, and a column
 * `not` a class that it is not, which counts where people's answers are imported.
 */
import { basename } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { DatasetImage, ImportedImage, ImportedLabel, ImportedRegion, Rejection } from '../../core/dataset.ts';
import { badFile, boxOf, confidenceOf, numberIn, originOf } from '../check.ts';
import { type CsvRecord, csvRecords, csvRow, fileCell, fileOfCell, textCell, textOfCell } from '../csv-table.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';

const KEEPS: Keeps = {
  ...EVERYTHING,
  regionClasses: 'apart',
  masks: false,
  polygons: false,
  keypoints: false,
  crowd: false,
  regionIds: false,
  rejections: false,
  size: false,
};

export const csv: Format = {
  name: 'csv',
  description: 'a row a label: file, class, confidence, origin, task, box',
  kind: 'file',
  holds: 'both',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeCsv,
  read: readCsv,
};

export const LABEL_COLUMNS: readonly string[] = ['file', 'class', 'confidence', 'origin', 'task'];
export const BOX_COLUMNS: readonly string[] = ['x1', 'y1', 'x2', 'y2'];

/** The cells of `LABEL_COLUMNS`. */
export function labelCells(
  file: string,
  label: { className: string; confidence: number | null; origin: string; task: string },
): string[] {
  const confidence = label.confidence === null ? '' : String(score(label.confidence));
  return [fileCell(file), textCell(label.className), confidence, label.origin, textCell(label.task)];
}

export function boxCells(box: readonly number[]): string[] {
  return box.map((value) => String(pixel(value)));
}

async function writeCsv(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const file = await TextWriter.create(target);
  const noBox = BOX_COLUMNS.map(() => '');
  // The column is there only when it says something, as a plain export has the columns that everyone reads.
  const splitColumn = job.splits === null ? [] : ['split'];
  try {
    await file.write(csvRow([...LABEL_COLUMNS, ...BOX_COLUMNS, ...splitColumn]));
    for await (const image of images) {
      const split = job.splits === null ? [] : [image.split ?? ''];
      let rows = 0;
      const row = async (cells: string[]) => {
        await file.write(csvRow([...cells, ...split]));
        rows++;
      };
      for (const label of image.labels) await row([...labelCells(image.file, label), ...noBox]);
      for (const region of image.regions) {
        if (region.labels.length > 0) job.tally.regions++;
        for (const label of region.labels) {
          const confidence = label.confidence ?? region.score;
          await row([...labelCells(image.file, { ...label, confidence }), ...boxCells(region.box)]);
        }
      }
      job.tally.labels += rows;
      if (rows === 0) await file.write(csvRow([fileCell(image.file), '', '', '', '', ...noBox, ...split]));
      job.tally.image(image);
    }
    await file.close();
  } finally {
    await file.abandon();
  }
}

/** Rows of one file that follow each other come as one image; answers of a sheet each by itself. */
async function* readCsv(path: string): AsyncGenerator<ImportedImage> {
  const name = basename(path);
  let current: Gathering | null = null;
  for await (const record of csvRecords(path, name, ['file', 'class'])) {
    const file = fileOfCell(record.cell('file'));
    if (file === '') throw badFile(record.where, 'the file name is empty');
    const sheet = record.has('not');
    if (current !== null && (sheet || current.file !== file)) {
      yield current;
      current = null;
    }
    current ??= {
      file,
      width: null,
      height: null,
      labels: [],
      regions: [],
      rejected: [],
      where: record.where,
      split: splitOf(record),
      ...(sheet ? { answer: true } : {}),
    };
    gather(record, current);
  }
  if (current !== null) yield current;
}

interface Gathering extends ImportedImage {
  readonly labels: ImportedLabel[];
  readonly regions: ImportedRegion[];
  readonly rejected: Rejection[];
}

function splitOf(record: CsvRecord): string | null {
  return record.cell('split').trim() || null;
}

function gather(record: CsvRecord, image: Pick<Gathering, 'labels' | 'regions' | 'rejected'>): void {
  const about = record.cell('region').trim();
  const rejected = rejectionsOf(record, about === '' ? 'class' : 'objects');
  if (about !== '' && record.cell('class').trim() === '') {
    // A question about a region that nobody answered, or with what it is not.
    if (rejected.length > 0) image.regions.push({ ...NO_REGION, box: boxOfRecord(record), about, rejected });
    return;
  }
  const region = regionOfRecord(record);
  if (region !== null) {
    image.regions.push(about === '' ? region : { ...region, about, rejected });
    return;
  }
  image.rejected.push(...rejected);
  const label = labelOfRecord(record);
  if (label !== null) image.labels.push(label);
}

const NO_REGION: Omit<ImportedRegion, 'box'> = {
  unit: 'pixels',
  score: null,
  labels: [],
  mask: null,
  polygons: null,
  keypoints: null,
  crowd: false,
};

function rejectionsOf(record: CsvRecord, defaultTask: string): Rejection[] {
  const className = textOfCell(record.cell('not')).trim();
  return className === '' ? [] : [{ className, task: textOfCell(record.cell('task')).trim() || defaultTask }];
}

/** Null when the class is empty: a row that only names the file. */
export function labelOfRecord(record: CsvRecord): ImportedLabel | null {
  const className = textOfCell(record.cell('class'));
  const confidence = record.cell('confidence').trim();
  const origin = record.cell('origin').trim();
  if (className.trim() === '') return null;
  return {
    className,
    confidence:
      confidence === ''
        ? null
        : confidenceOf(numberIn(confidence, `${record.where} confidence`), `${record.where} confidence`),
    origin: origin === '' ? null : originOf(origin, `${record.where} origin`),
    task: textOfCell(record.cell('task')).trim() || null,
  };
}

/** Null when the row has no box. A box has all four corners and a class. */
export function regionOfRecord(record: CsvRecord): ImportedRegion | null {
  if (BOX_COLUMNS.every((column) => record.cell(column).trim() === '')) return null;
  const box = boxOfRecord(record);
  const label = labelOfRecord(record);
  if (label === null) throw badFile(record.where, 'the row has a box and no class');
  return { ...NO_REGION, box, score: label.confidence, labels: [label] };
}

function boxOfRecord(record: CsvRecord): Box {
  const [x1, y1, x2, y2] = BOX_COLUMNS.map((column) =>
    numberIn(record.cell(column).trim(), `${record.where} ${column}`),
  ) as [number, number, number, number];
  return boxOf(x1, y1, x2, y2, record.where);
}
