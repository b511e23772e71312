/**
 * CSV: a row a label, `file,class,confidence,origin,task,x1,y1,x2,y2`. Rows of whole images leave the box empty, images
 * with no label the class. Boxes are in pixels, corner to corner. Reading needs `file` and `class` only; a column
 * `region` (of the questions that `teach select` asks) names a region of the workspace that a row is about, and a column
 * `not` a class that it is not, which counts where people's answers are imported.
 */
import type { DatasetImage } from '../../core/dataset.ts';
import { csvRow, fileCell, textCell } from '../csv-table.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { pixel, score } from '../numbers.ts';
import { TextWriter } from '../text-writer.ts';
import { BOX_COLUMNS, LABEL_COLUMNS } from './columns.ts';
import { readCsv } from './read.ts';

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
  details: [],
  imageAttributes: false,
  annotators: false,
};

export const csv: Format = {
  name: 'csv',
  description: 'a row a label: file, class, confidence, origin, task, box',
  kind: 'file',
  readsFolders: true,
  holds: 'both',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeCsv,
  read: readCsv,
};

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
