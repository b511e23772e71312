import { join, resolve } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchPhotographs } from '../../fetch/photographs.ts';
import { command } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import { argument } from '../values.ts';
import { runAuto } from './auto.ts';
import { DETECT_OPTIONS } from './detect-options.ts';

export const demo = command({
  name: 'demo',
  summary: 'try it: fetch a few photographs and label them',
  args: {
    folder: argument('[folder]', 'where it goes (default: labelsmith-demo)', z.string().default('labelsmith-demo')),
  },
  options: DETECT_OPTIONS,
  examples: [['labelsmith demo', 'photographs, workspace and report in ./labelsmith-demo']],
  async run({ args, options, ...context }) {
    const { global, output, signal } = context;
    const folder = resolve(args.folder);
    const photographs = join(folder, 'photos');
    await fetchPhotographs(photographs, { cacheDir: cacheDirectory(), ...fetchOptionsFor(output, signal) });
    return runAuto(
      { ...context, global: { ...global, workspace: join(folder, '.labelsmith') } },
      [photographs],
      options,
    );
  },
});
