/**
 * `teach detector` on classes that were taken from the built-in detector: four of its 80 lose their rows in the head and are
 * taught again from boxes of 60 % of the photographs of coco-train128; on the others their AP50 is compared with that
 * of the detector as it was. The four with most boxes, the next four, and all eight: what a class has of boxes decides.
 *
 * LABELSMITH_BENCH_SEEDS names other draws (default 0,1,2).
 */
import { readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { cacheDirectory } from '../src/fetch/cache.ts';
import { importedPath } from '../src/models/registry.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const SEEDS = (process.env.LABELSMITH_BENCH_SEEDS ?? '0,1,2').split(',').map(Number);
const TAUGHT_SHARE = 0.6;
const GROUPS = [
  ['person', 'car', 'cup', 'chair'],
  ['book', 'bowl', 'carrot', 'spoon'],
];

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly { readonly image_id: number; readonly category_id: number }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

interface Scores {
  readonly detection: { readonly AP50: number };
}

export function run(): Promise<unknown> {
  const set = dataSet('coco-train128');
  const coco = JSON.parse(readFileSync(join(set, 'instances.json'), 'utf8')) as Coco;
  return inScratch(async (dir) => {
    const draws: Record<string, unknown>[] = [];
    for (const classes of [...GROUPS, GROUPS.flat()]) {
      for (const seed of SEEDS) {
        const draw = await measure(set, coco, {
          classes,
          seed,
          dir: join(dir, `${classes[0]}-${classes.length}-${seed}`),
        });
        process.stderr.write(`  ${JSON.stringify(draw)}\n`);
        draws.push(draw);
      }
    }
    return draws;
  });
}

interface Draw {
  readonly classes: readonly string[];
  readonly seed: number;
  readonly dir: string;
}

async function measure(set: string, coco: Coco, { classes, seed, dir }: Draw): Promise<Record<string, unknown>> {
  const order = shuffled([...coco.images], seededRandom(seed, 'detector-classes'));
  const taught = new Set(order.slice(0, Math.round(TAUGHT_SHARE * order.length)).map(({ id }) => id));
  const ids = new Set(coco.categories.filter(({ name }) => classes.includes(name)).map(({ id }) => id));
  const part = (isTaught: boolean, only: boolean): Coco => ({
    ...coco,
    images: coco.images.filter(({ id }) => taught.has(id) === isTaught),
    annotations: coco.annotations.filter(
      ({ image_id, category_id }) => taught.has(image_id) === isTaught && (!only || ids.has(category_id)),
    ),
    categories: coco.categories.filter(({ id }) => !only || ids.has(id)),
  });
  // Each draw has its images, and its model its name.
  for (const side of ['taught', 'rest']) await mkdir(join(dir, side), { recursive: true });
  for (const { id, file_name } of coco.images) {
    await symlink(join(set, 'images', file_name), join(dir, taught.has(id) ? 'taught' : 'rest', file_name));
  }
  await writeFile(join(dir, 'taught.json'), JSON.stringify(part(true, false)));
  await writeFile(join(dir, 'rest.json'), JSON.stringify(part(false, true)));
  const teaching = ['-w', 'taught-ws'];
  await labelsmith([...teaching, 'add', 'taught'], dir);
  await labelsmith([...teaching, 'import', 'coco', 'taught.json', '--as', 'human', '--task', 'objects'], dir);
  const name = `bench-${process.pid}-${classes[0]}-${classes.length}-${seed}`;
  // It gets no name where no box is held out, so a tenth is, and the rest of the 60 % learned from; here the 40 % judge.
  const asked = ['--classes', classes.join(','), '--name', name, '--min-boxes', '1', '--min-ap50', '0'];
  const teach = ['teach', 'detector', ...asked, '--hold-out', '0.1'];
  const { seconds, peakBytes, stdout: said } = await labelsmith([...teaching, ...teach], dir);
  const { boxes } = JSON.parse(said) as { readonly boxes: number };
  const judging = ['-w', 'rest-ws'];
  await labelsmith([...judging, 'add', 'rest'], dir);
  const scores: number[] = [];
  for (const model of ['centernet', name]) {
    await labelsmith([...judging, 'detect', '--model', model], dir);
    const { stdout } = await labelsmith([...judging, 'evaluate', 'rest.json'], dir);
    scores.push((JSON.parse(stdout) as Scores).detection.AP50);
  }
  await rm(importedPath(cacheDirectory(), name));
  const [before = 0, after = 0] = scores;
  return {
    ...{ classes: classes.join(', '), seed, boxes, before: rounded(before, 3), after: rounded(after, 3) },
    ratio: rounded(after / before, 2),
    seconds: rounded(seconds, 0),
    peakMB: rounded(peakBytes / 1e6, 0),
  };
}
