/**
 * A folder per class with the images in it, the form that most training code reads. Each image stands once, under the
 * best class of one task (of a task on regions: the most confident one), at its path in the source.
 */
import { join } from 'node:path';
import type { DatasetImage, ImportedImage, LabelValue } from '../../core/dataset.ts';
import type { Task } from '../../core/labels.ts';
import { ClassTreeWriter, readClassTree } from '../class-tree.ts';
import { unreadKind } from '../foreign/recognise.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type ReadOptions, type WriteJob } from '../format.ts';
import { placeImages } from '../image-files.ts';
import { NameTable } from '../names.ts';
import type { Reckoning } from '../reckoning.ts';
import { isImageName, listFolder, walkFiles } from '../walk.ts';

const KEEPS: Keeps = { ...NEXT_TO_NOTHING, split: true, unlabelled: true };

export const folders: Format = {
  name: 'folders',
  description: 'a folder per class with its images',
  kind: 'folder',
  holds: 'images',
  imageFiles: 'always',
  defaultImages: 'copy',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeFolders,
  read: readFolders,
};

/** The class an image stands for in one task; null when it has none there. */
export function bestLabel(image: DatasetImage, task: Task | null): LabelValue | null {
  const inTask = (label: LabelValue) => task === null || label.task === task.name;
  const own = image.labels.filter(inTask);
  if (task?.rule === 'single' && own.length > 0) return own[0];
  const all = own.length > 0 ? own : image.regions.flatMap((region) => region.labels.filter(inTask));
  let best: LabelValue | null = null;
  for (const label of all) {
    const more = best === null ? 1 : (label.confidence ?? 1) - (best.confidence ?? 1);
    if (best === null || more > 0 || (more === 0 && label.className < best.className)) best = label;
  }
  return best;
}

async function writeFolders(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const tree = new ClassTreeWriter(job.classNames, job.splits?.names ?? null, []);
  const names = new NameTable();
  async function* labelled() {
    for await (const image of images) {
      const best = bestLabel(image, job.task);
      if (best === null && !job.unlabelled) job.tally.unlabelledSkipped++;
      else yield image;
    }
  }
  const nameOf = (image: DatasetImage) => {
    const best = bestLabel(image, job.task);
    return names.give(`${tree.folder(best?.className ?? null, image.split)}${image.file}`, image.id);
  };
  for await (const { image } of placeImages(labelled(), nameOf, target, job)) {
    job.tally.image(image);
    if (bestLabel(image, job.task) !== null) job.tally.labels++;
    job.tally.lose('other classes of an image', Math.max(0, image.labels.length - 1));
  }
  job.tally.renamed = names.renamed + tree.changed;
  await tree.finish(target);
}

/** Any tree of class folders; what is not named like an image is left alone. */
async function* readFolders(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  for (const file of (await listFolder(path)).files) tellUnread(file, reckoning);
  for (const folder of await readClassTree(path, reckoning)) {
    const labels =
      folder.className === null ? [] : [{ className: folder.className, confidence: null, origin: null, task: null }];
    for await (const file of walkFiles(join(path, folder.path))) {
      const name = `${folder.path}/${file}`;
      if (!isImageName(file)) {
        tellUnread(name, reckoning);
        continue;
      }
      yield { file: name, width: null, height: null, labels, regions: [], where: name, split: folder.split };
    }
  }
}

/** Files beside the pictures may hold labels that nothing is made of. */
function tellUnread(file: string, reckoning: Reckoning): void {
  const unread = unreadKind(file);
  if (unread !== null) reckoning.note('file-passed-over', file, `it is ${unread.is}, and is not read; the folders are`);
}
