/**
 * `teach detector` on classes that were taken from the built-in detector: four of its 80 lose their rows in the head and are
 * taught again from boxes of 60 % of the photographs of coco-train128; on the others their AP50 is compared with that
 * of the detector as it was. The four with most boxes, the next four, and all eight: what a class has of boxes decides.
 *
 * The detector as it was has learned from these photographs, those it is judged on among them (they are of COCO's training set),
 * and what is taught anew has not. So there is a third figure, `seen`: taught anew from all photographs.
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
  const part = (isIn: (image: number) => boolean, only: boolean): Coco => ({
    ...coco,
    images: coco.images.filter(({ id }) => isIn(id)),
    annotations: coco.annotations.filter(
      ({ image_id, category_id }) => isIn(image_id) && (!only || ids.has(category_id)),
    ),
    categories: coco.categories.filter(({ id }) => !only || ids.has(id)),
  });
  const sides = { taught: part((id) => taught.has(id), false), rest: part((id) => !taught.has(id), true) };
  for (const [side, { images }] of Object.entries({ ...sides, all: coco })) {
    await mkdir(join(dir, side), { recursive: true });
    for (const { file_name } of images) await symlink(join(set, 'images', file_name), join(dir, side, file_name));
  }
  for (const [side, file] of Object.entries({ ...sides, all: coco })) {
    await writeFile(join(dir, `${side}.json`), JSON.stringify(file));
  }
  // Each draw has its model's name.
  const name = `bench-${process.pid}-${classes[0]}-${classes.length}-${seed}`;
  const { boxes, seconds, peakBytes } = await taughtFrom('taught', { classes, dir, name });
  await taughtFrom('all', { classes, dir, name: `${name}-seen` });
  const judging = ['-w', 'rest-ws'];
  await labelsmith([...judging, 'add', 'rest'], dir);
  const scores: number[] = [];
  for (const model of ['centernet', name, `${name}-seen`]) {
    await labelsmith([...judging, 'detect', '--model', model], dir);
    const { stdout } = await labelsmith([...judging, 'evaluate', 'rest.json'], dir);
    scores.push((JSON.parse(stdout) as Scores).detection.AP50);
    if (model !== 'centernet') await rm(importedPath(cacheDirectory(), model));
  }
  const [before = 0, after = 0, seen = 0] = scores;
  return {
    classes: classes.join(', '),
    seed,
    boxes,
    before: rounded(before, 3),
    after: rounded(after, 3),
    ratio: rounded(after / before, 2),
    seen: rounded(seen, 3),
    seconds: rounded(seconds, 0),
    peakMB: rounded(peakBytes / 1e6, 0),
  };
}

/** @param side the folder of images, and the name of the file with their boxes */
async function taughtFrom(
  side: string,
  { classes, dir, name }: { readonly classes: readonly string[]; readonly dir: string; readonly name: string },
): Promise<{ readonly boxes: number; readonly seconds: number; readonly peakBytes: number }> {
  const workspace = ['-w', `${side}-ws`];
  await labelsmith([...workspace, 'add', side], dir);
  await labelsmith([...workspace, 'import', 'coco', `${side}.json`, '--as', 'human', '--task', 'objects'], dir);
  // It gets no name where no box is held out, so a tenth is, and the rest learned from; the bench judges by other images.
  const asked = ['--classes', classes.join(','), '--name', name, '--min-boxes', '1', '--min-ap50', '0'];
  const teach = ['teach', 'detector', ...asked, '--hold-out', '0.1'];
  const { seconds, peakBytes, stdout: said } = await labelsmith([...workspace, ...teach], dir);
  const { boxes } = JSON.parse(said) as { readonly boxes: number };
  return { boxes, seconds, peakBytes };
}
