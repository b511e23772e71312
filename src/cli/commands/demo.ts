import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchFiles, type SourceFile } from '../../fetch/fetch.ts';
import type { CommandSpec } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { auto } from './auto.ts';
import { DETECT_OPTIONS } from './detect-options.ts';

/** Photographs that come with packages of the models' publishers (Apache-2.0 and MIT). */
export const PHOTOGRAPHS: readonly SourceFile[] = [
  ...['meal_1', 'meal_2', 'other_1', 'other_2', 'report_1', 'report_2'].map((name) => ({
    reference: `npm:@qvac/classification-ggml@0.26.3#test/images/${name}.jpg`,
  })),
  { reference: 'npm:@vladmandic/human@3.3.6#assets/samples.jpg' },
];

export const demo: CommandSpec = {
  usage: 'demo [folder]',
  summary: 'try it: fetch a few photographs and label them',
  options: DETECT_OPTIONS,
  examples: [['labelsmith demo', 'photographs, workspace and report in ./labelsmith-demo']],
  async run(invocation) {
    const { args, global, output, signal } = invocation;
    const folder = resolve(args[0] ?? 'labelsmith-demo');
    const photos = join(folder, 'photos');
    await mkdir(photos, { recursive: true });
    const options = { cacheDir: cacheDirectory(), ...fetchOptionsFor(output, signal) };
    for (const { reference, path } of await fetchFiles(PHOTOGRAPHS, options)) {
      await copyFile(path, join(photos, basename(reference)));
    }
    return auto.run({ ...invocation, args: [photos], global: { ...global, workspace: join(folder, '.labelsmith') } });
  },
};
