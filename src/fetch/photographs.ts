/** A few photographs to try the program on, which come with packages of the models' publishers (Apache-2.0 and MIT). */
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';
import { type FetchOptions, fetchFiles, type SourceFile } from './fetch.ts';

export const PHOTOGRAPHS: readonly SourceFile[] = [
  ...['meal_1', 'meal_2', 'other_1', 'other_2', 'report_1', 'report_2'].map((name) => ({
    reference: `npm:@qvac/classification-ggml@0.26.3#test/images/${name}.jpg`,
  })),
  { reference: 'npm:@vladmandic/human@3.3.6#assets/samples.jpg' },
];

/** Fetches them into a folder, which is made. */
export async function fetchPhotographs(folder: string, options: FetchOptions): Promise<void> {
  await makeFolder(folder);
  for (const { reference, path } of await fetchFiles(PHOTOGRAPHS, options)) {
    await copyFile(path, join(folder, basename(reference)));
  }
}
