/**
 * XMP sidecars: `photo.jpg.xmp` with the image's classes as keywords, as darktable, digiKam and exiftool read them. Where
 * the source has a sidecar of the image already, the new one is that one with the missing keywords added; the source
 * itself is never written to, and keywords are never taken away.
 */
import { stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DatasetImage, ImportedImage } from '../../core/dataset.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { readRegularFile } from '../../sources/file.ts';
import { badFile } from '../check.ts';
import { type Format, type Keeps, lossesOf, NEXT_TO_NOTHING, type ReadOptions, type WriteJob } from '../format.ts';
import { FolderMaker, placeImages } from '../image-files.ts';
import { NameTable, splitExtension } from '../names.ts';
import { isImageName, readSmallText, walkFiles } from '../walk.ts';
import { type Keywords, keywordsIn, newSidecar, withKeywords } from './sidecar.ts';

const KEEPS: Keeps = { ...NEXT_TO_NOTHING, imageLabels: 'all', unlabelled: true };

export const xmp: Format = {
  name: 'xmp',
  description: 'XMP sidecars with the classes as keywords',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'beside',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: [...lossesOf(KEEPS), 'control characters and blanks at the ends of class names'],
  write: writeXmp,
  read: readXmp,
};

async function writeXmp(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const names = new NameTable();
  const made = new FolderMaker();
  const nameOf = (image: DatasetImage) => names.give(image.file, image.id);
  for await (const { image, name } of placeImages(images, nameOf, target, job)) {
    const keywords = keywordsOf(image, job);
    const known = await sidecarOf(image, job);
    if (known !== null && 'problem' in known) {
      // A fresh one would lose what the broken one may still hold.
      job.tally.fail(`${image.file}: ${known.problem}`);
      continue;
    }
    const text = known === null ? newSidecar(keywords, job.version) : withKeywords(known.text, keywords, known.name);
    const path = join(target, `${name}.xmp`);
    await made.make(dirname(path));
    await writeFile(path, text, { flag: 'wx' });
    job.tally.image(image);
    job.tally.labels += keywords.subject.length;
  }
  job.tally.renamed = names.renamed;
}

/** Classes of the image, or where it has none of its regions, in order of name. */
function keywordsOf(image: DatasetImage, { parentOf }: WriteJob): Keywords {
  const labels = image.labels.length > 0 ? image.labels : image.regions.flatMap((region) => region.labels);
  const subject = [...new Set(labels.map((label) => label.className))].sort();
  const hierarchicalSubject: string[] = [];
  for (const className of subject) {
    const path = [className];
    for (let above = parentOf?.(className) ?? null; above !== null && !path.includes(above); ) {
      path.unshift(above);
      above = parentOf?.(above) ?? null;
    }
    // The bar parts classes, so one inside a name cannot be said.
    if (!path.some((part) => part.includes('|'))) hierarchicalSubject.push(path.join('|'));
  }
  return { subject, hierarchicalSubject };
}

/** Sidecars have some kilobytes; one with a long history of edits a few hundred. */
const MAX_SIDECAR_BYTES = 2 ** 26;

type Sidecar = { readonly name: string; readonly text: string } | { readonly problem: string };

/** What lies beside the image in its source: `photo.jpg.xmp`, else `photo.xmp`. */
async function sidecarOf(image: DatasetImage, job: WriteJob): Promise<Sidecar | null> {
  const source = await job.sourcePathOf(image.id);
  if (source === null) return null;
  const bytes = typeof source === 'string' ? Buffer.from(source) : Buffer.from(source);
  const extension = splitExtension(image.file)[1];
  const stem = bytes.subarray(0, bytes.length - Buffer.byteLength(extension));
  for (const start of extension === '' ? [bytes] : [bytes, stem]) {
    for (const end of ['.xmp', '.XMP']) {
      const path = Buffer.concat([start, Buffer.from(end)]);
      const name = basename(path.toString());
      try {
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
          await readRegularFile(path, name, MAX_SIDECAR_BYTES),
        );
        keywordsIn(text, name);
        return { name, text };
      } catch (error) {
        // A name that is too long for a file is no file's.
        const tooLong = error instanceof LabelsmithError && systemCodeOf(error.cause) === 'ENAMETOOLONG';
        if (tooLong || (error instanceof LabelsmithError && error.code === 'NOT_FOUND')) continue;
        if (error instanceof LabelsmithError) return { problem: `its sidecar cannot be read, ${error.message}` };
        if (error instanceof TypeError) return { problem: `its sidecar ${name} is not UTF-8` };
        throw error;
      }
    }
  }
  return null;
}

/** @param path a sidecar, or a folder with some in it */
async function* readXmp(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield await readOne(path, basename(path));
    return;
  }
  let [found, files] = [false, false];
  for await (const file of walkFiles(path)) {
    files = true;
    if (!/\.xmp$/i.test(file)) continue;
    found = true;
    const image = await reckoning.attemptFile('file-unreadable', () => readOne(join(path, file), file));
    if (image === null) continue;
    reckoning.take('files');
    yield image;
  }
  if (files && !found) throw badFile(path, 'there are no XMP sidecars in it');
}

async function readOne(path: string, name: string): Promise<ImportedImage> {
  const text = await readSmallText(path, name);
  if (text === null) throw new LabelsmithError('NOT_FOUND', `${name} is not there any more`);
  const { subject, hierarchicalSubject } = keywordsIn(text, name);
  // Tools that write only the paths mean their ends.
  const classes = subject.length > 0 ? subject : hierarchicalSubject.map((way) => way.split('|').at(-1) as string);
  const file = name.slice(0, -'.xmp'.length);
  return {
    file: isImageName(file) ? file : splitExtension(name)[0],
    width: null,
    height: null,
    labels: [...new Set(classes.map((className) => className.trim()))]
      .filter((className) => className !== '')
      .map((className) => ({ className, confidence: null, origin: null, task: null })),
    regions: [],
    where: name,
    split: null,
  };
}
