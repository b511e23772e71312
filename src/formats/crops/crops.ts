/**
 * Regions cut out of their images, a folder per class, each crop a JPEG. `crops.csv` beside them says where each was cut,
 * so that the regions can be read back.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatasetImage, ImportedImage, RegionRecord } from '../../core/dataset.ts';
import { LabelsmithError } from '../../errors.ts';
import { ClassTreeWriter } from '../class-tree.ts';
import { BOX_COLUMNS, LABEL_COLUMNS } from '../csv/columns.ts';
import { boxCells, labelCells } from '../csv/csv.ts';
import { readCsv } from '../csv/read.ts';
import { csvRow, fileCell } from '../csv-table.ts';
import {
  type CropImage,
  type Format,
  type Keeps,
  lossesOf,
  NEXT_TO_NOTHING,
  type ReadOptions,
  type WriteJob,
} from '../format.ts';
import { FolderMaker, mapInOrder, readOne } from '../image-files.ts';
import { NameTable, splitExtension } from '../names.ts';
import { TextWriter } from '../text-writer.ts';

const INDEX_FILE = 'crops.csv';
/** Images being decoded at once. */
const IMAGES_IN_FLIGHT = 4;

const KEEPS: Keeps = {
  ...NEXT_TO_NOTHING,
  imageLabels: 'none',
  boxes: 'exact',
  confidence: true,
  origin: true,
  task: true,
  split: true,
};

export const crops: Format = {
  name: 'crops',
  description: 'each region cut out, a folder per class',
  kind: 'folder',
  holds: 'regions',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: [...lossesOf(KEEPS), 'regions with no area inside the image', 'all outside the regions'],
  write: writeCrops,
  read: readCrops,
};

async function writeCrops(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const tree = new ClassTreeWriter(job.classNames, job.splits?.names ?? null, [INDEX_FILE]);
  const names = new NameTable();
  const made = new FolderMaker();
  const crop = job.crop as CropImage;
  const index = await TextWriter.create(join(target, INDEX_FILE));
  const cut = (image: DatasetImage) => cutRegions(image, crop, job);
  try {
    const splitColumn = job.splits === null ? [] : ['split'];
    await index.write(csvRow(['crop', ...LABEL_COLUMNS, ...BOX_COLUMNS, ...splitColumn]));
    for await (const result of mapInOrder(images, cut, IMAGES_IN_FLIGHT)) {
      if (result === null) continue;
      const { image, pieces } = result;
      for (const { region, jpeg } of pieces) {
        const label = region.labels[0];
        const stem = splitExtension(image.file)[0];
        const folder = tree.folder(label.className, image.split);
        const name = names.give(`${folder}${stem}_${region.id.slice(0, 12)}.jpg`, region.id);
        await made.make(dirname(join(target, name)));
        await writeFile(join(target, name), jpeg, { flag: 'wx' });
        const confidence = label.confidence ?? region.score;
        const cells = [fileCell(name), ...labelCells(image.file, { ...label, confidence }), ...boxCells(region.box)];
        await index.write(csvRow(job.splits === null ? cells : [...cells, image.split ?? '']));
        job.tally.regions++;
        job.tally.labels++;
        job.tally.lose('other classes of a region', region.labels.length - 1);
      }
      job.tally.image(image);
    }
    await index.close();
    job.tally.renamed = tree.changed;
    await tree.finish(target);
  } finally {
    await index.abandon();
  }
}

interface CutImage {
  readonly image: DatasetImage;
  readonly pieces: readonly { readonly region: RegionRecord; readonly jpeg: Uint8Array }[];
}

/** Null when the image has nothing to cut or cannot be read, which is then counted. */
async function cutRegions(image: DatasetImage, crop: CropImage, job: WriteJob): Promise<CutImage | null> {
  const regions = image.regions.filter((region) => {
    const [x1, y1, x2, y2] = region.box;
    const inside = Math.min(x2, image.width) > Math.max(x1, 0) && Math.min(y2, image.height) > Math.max(y1, 0);
    if (!inside) job.tally.lose('regions with no area inside the image');
    return inside && region.labels.length > 0;
  });
  if (regions.length === 0) return null;
  const bytes = await readOne(image, job);
  if (!(bytes instanceof Uint8Array)) {
    job.tally.fail(`${image.file}: ${bytes.problem}`);
    return null;
  }
  try {
    const jpegs = await crop(
      bytes,
      regions.map((region) => region.box),
      job.margin,
    );
    return { image, pieces: regions.map((region, i) => ({ region, jpeg: jpegs[i] })) };
  } catch (error) {
    if (!(error instanceof LabelsmithError && error.code === 'BAD_IMAGE')) throw error;
    job.tally.fail(`${image.file}: ${error.message}`);
    return null;
  }
}

/** Crops of one image that follow each other come as one image. */
async function* readCrops(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  for await (const image of readCsv(join(path, INDEX_FILE), options)) {
    options.reckoning.note('row-unreadable', image.where, 'a row of crops has a box', image.labels.length);
    yield { ...image, labels: [] };
  }
}
