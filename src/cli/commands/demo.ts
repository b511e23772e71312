import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchFiles, type SourceFile } from '../../fetch/fetch.ts';
import { command } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { argument } from '../values.ts';
import { runAuto } from './auto.ts';
import { DETECT_OPTIONS } from './detect-options.ts';

/** Photographs that come with packages of the models' publishers (Apache-2.0 and MIT). */
export const PHOTOGRAPHS: readonly SourceFile[] = [
  ...['meal_1', 'meal_2', 'other_1', 'other_2', 'report_1', 'report_2'].map((name) => ({
    reference: `npm:@qvac/classification-ggml@0.26.3#test/images/${name}.jpg`,
  })),
  { reference: 'npm:@vladmandic/human@3.3.6#assets/samples.jpg' },
];

export const demo = command({
  name: 'demo',
  summary: 'try it: fetch a few photographs and label them',
  args: {
    folder: argument('[folder]', 'where it goes (default: labelsmith-demo)', z.string().default('labelsmith-demo')),
  },
  options: DETECT_OPTIONS,
  examples: [['labelsmith demo', 'photographs, workspace and report in ./labelsmith-demo']],
  async run({ args, options: detectOptions, ...context }) {
    const { global, output, signal } = context;
    const folder = resolve(args.folder);
    const photos = join(folder, 'photos');
    await mkdir(photos, { recursive: true });
    const options = { cacheDir: cacheDirectory(), ...fetchOptionsFor(output, signal) };
    for (const { reference, path } of await fetchFiles(PHOTOGRAPHS, options)) {
      await copyFile(path, join(photos, basename(reference)));
    }
    const there = { ...context, global: { ...global, workspace: join(folder, '.labelsmith') } };
    return runAuto(there, [photos], detectOptions);
  },
});
