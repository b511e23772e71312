/**
 * `teach detector` on classes that were taken from the built-in detector: four of its 80 lose their rows in the head and are
 * taught again from boxes of 60 % of the photographs of coco-train128; on the others their AP50 is compared with that
 * of the detector as it was. Three fours, none of which had a part in what was chosen: what a class has of boxes decides. At the
 * end stands the mean of these fours with its standard error.
 *
 * The detector as it was has learned from these photographs, those it is judged on among them (they are of COCO's training set),
 * and what is taught anew has not. So there is a third figure, `seen`: taught anew from all photographs.
 *
 * LABELSMITH_BENCH_SEEDS names other draws (default 0,1,2), LABELSMITH_BENCH_CLASSES other fours ("cup,chair,car,dog;…"), and
 * LABELSMITH_BENCH_SEEN=off leaves the third figure out, which takes half of the time.
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
const GROUPS = (
  process.env.LABELSMITH_BENCH_CLASSES ??
  'person,car,cup,chair;book,bowl,spoon,teddy bear;handbag,umbrella,bottle,baseball glove'
)
  .split(';')
  .map((names) => names.split(','));
const WITH_SEEN = process.env.LABELSMITH_BENCH_SEEN !== 'off';

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
    const draws: Drawn[] = [];
    for (const classes of GROUPS) {
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
    const groups = GROUPS.map((classes) => draws.filter((draw) => draw.classes === classes.join(', ')));
    const summary = summaryOf(groups);
    process.stderr.write(`${tableOf(groups, summary).join('\n')}\n`);
    return { draws, summary };
  });
}

interface Drawn {
  readonly classes: string;
  readonly seed: number;
  readonly boxes: number;
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
  readonly seen: number | null;
  readonly seconds: number;
  readonly peakMB: number;
}

/** Of the fours, each the mean of its seeds; the error is one standard error of the mean over them. */
function summaryOf(groups: readonly (readonly Drawn[])[]) {
  const of = (field: 'before' | 'after') => groups.map((draws) => mean(draws.map((draw) => draw[field])));
  const [before, after] = [of('before'), of('after')];
  const ratios = after.map((one, i) => one / (before[i] ?? 1));
  return {
    before: rounded(mean(before), 3),
    after: rounded(mean(after), 3),
    ratio: rounded(mean(ratios), 2),
    error: rounded(standardError(ratios), 2),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

function standardError(values: readonly number[]): number {
  const middle = mean(values);
  const variance = values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / Math.max(1, values.length - 1);
  return Math.sqrt(variance / values.length);
}

/** As docs/teach.md has it. */
function tableOf(groups: readonly (readonly Drawn[])[], summary: ReturnType<typeof summaryOf>): string[] {
  const rows = groups.map((draws) => {
    const of = (field: 'boxes' | 'before' | 'after') => mean(draws.map((draw) => draw[field]));
    const [before, after] = [of('before'), of('after')];
    const cells = [
      draws[0]?.classes,
      of('boxes').toFixed(0),
      before.toFixed(3),
      after.toFixed(3),
      (after / before).toFixed(2),
    ];
    return `| ${[...cells, ...(WITH_SEEN ? [mean(draws.map(({ seen }) => seen ?? 0)).toFixed(3)] : [])].join(' | ')} |`;
  });
  const columns = ['classes', 'boxes learned from', 'before', 'taught anew', 'share', ...(WITH_SEEN ? ['seen'] : [])];
  const { before, after, ratio, error } = summary;
  return [
    `| ${columns.join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length - 1)}`,
    ...rows,
    `| mean | | ${before.toFixed(3)} | ${after.toFixed(3)} | ${ratio.toFixed(2)} ± ${error.toFixed(2)} |${WITH_SEEN ? ' |' : ''}`,
  ];
}

interface Draw {
  readonly classes: readonly string[];
  readonly seed: number;
  readonly dir: string;
}

async function measure(set: string, coco: Coco, { classes, seed, dir }: Draw): Promise<Drawn> {
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
  if (WITH_SEEN) await taughtFrom('all', { classes, dir, name: `${name}-seen` });
  const judging = ['-w', 'rest-ws'];
  await labelsmith([...judging, 'add', 'rest'], dir);
  const scores: number[] = [];
  for (const model of ['centernet', name, ...(WITH_SEEN ? [`${name}-seen`] : [])]) {
    await labelsmith([...judging, 'detect', '--model', model], dir);
    const { stdout } = await labelsmith([...judging, 'evaluate', 'rest.json'], dir);
    scores.push((JSON.parse(stdout) as Scores).detection.AP50);
    if (model !== 'centernet') await rm(importedPath(cacheDirectory(), model));
  }
  const [before = 0, after = 0, seen] = scores;
  return {
    classes: classes.join(', '),
    seed,
    boxes,
    before: rounded(before, 3),
    after: rounded(after, 3),
    ratio: rounded(after / before, 2),
    seen: seen === undefined ? null : rounded(seen, 3),
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
  // A tenth is held out, and learned from at last; the bench judges by other images.
  const asked = ['--classes', classes.join(','), '--name', name, '--min-boxes', '1', '--min-ap50', '0'];
  const teach = ['teach', 'detector', ...asked, '--hold-out', '0.1'];
  const { seconds, peakBytes, stdout: said } = await labelsmith([...workspace, ...teach], dir);
  const { boxes } = JSON.parse(said) as { readonly boxes: number };
  return { boxes, seconds, peakBytes };
}
