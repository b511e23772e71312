/**
 * `detect --tiles` on collages: 4 × 4 photographs in one image of 2560 × 2560, with the boxes of all sixteen, against
 * the same photographs one by one, and against the collages without tiles. About two minutes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../src/core/boxes.ts';
import { type CocoBox, matchBoxes, readCoco } from './coco-boxes.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const ACROSS = 4;
/** COCO's photographs are at most this large. */
const CELL = 640;

export function run(): Promise<unknown> {
  const set = dataSet('coco-train128');
  return inScratch(async (dir) => {
    const truth = readCoco(join(set, 'instances.json'));
    const single = new Map([...truth].map(([file, { boxes }]) => [file, boxes]));
    const collages = await writeCollages(set, join(dir, 'collages'), [...truth.keys()].sort(), single);
    const results: Record<string, Score> = {
      singleImages: await detected(join(dir, 'a'), join(set, 'images'), [], single),
      collagesWithTiles: await detected(join(dir, 'b'), join(dir, 'collages'), ['--tiles'], collages),
      collagesWithout: await detected(join(dir, 'c'), join(dir, 'collages'), [], collages),
    };
    const of = (name: string) => results[name];
    return {
      collages: collages.size,
      ...results,
      recallRatio: rounded(of('collagesWithTiles').recall / of('singleImages').recall, 3),
      precisionRatio: rounded(of('collagesWithTiles').precision / of('singleImages').precision, 3),
    };
  });
}

interface Score {
  /** Of true boxes that are no crowds, at IoU .5 and the default threshold. */
  readonly recall: number;
  readonly precision: number;
  readonly found: number;
  /** Found over a true box that had its match already. */
  readonly doubleBoxes: number;
  readonly seconds: number;
}

/** Collages as PNG, so that nothing but their size differs from the photographs, and their true boxes. */
async function writeCollages(
  set: string,
  out: string,
  files: readonly string[],
  truth: ReadonlyMap<string, readonly CocoBox[]>,
): Promise<Map<string, CocoBox[]>> {
  mkdirSync(out);
  const collages = new Map<string, CocoBox[]>();
  for (let at = 0; at < files.length; at += ACROSS * ACROSS) {
    const cells = files.slice(at, at + ACROSS * ACROSS).map((file, i) => ({
      file,
      left: CELL * (i % ACROSS),
      top: CELL * Math.floor(i / ACROSS),
    }));
    const name = `${String(collages.size).padStart(3, '0')}.png`;
    const side = CELL * ACROSS;
    await sharp({ create: { width: side, height: side, channels: 3, background: 'black' } })
      .composite(cells.map(({ file, left, top }) => ({ input: join(set, 'images', file), left, top })))
      .png({ compressionLevel: 1 })
      .toFile(join(out, name));
    const boxes = cells.flatMap(({ file, left, top }) =>
      (truth.get(file) ?? []).map((box) => ({
        ...box,
        box: box.box.map((value, i) => value + (i % 2 === 0 ? left : top)) as unknown as Box,
      })),
    );
    collages.set(name, boxes);
  }
  return collages;
}

async function detected(
  dir: string,
  images: string,
  options: readonly string[],
  truth: ReadonlyMap<string, readonly CocoBox[]>,
): Promise<Score> {
  mkdirSync(dir);
  await labelsmith(['add', images], dir);
  const { seconds } = await labelsmith(['detect', ...options], dir);
  await labelsmith(['export', 'coco', 'out', '--images', 'none'], dir);
  const found = readCoco(join(dir, 'out/annotations.json'));
  let [right, wanted, all, doubles, ignored] = [0, 0, 0, 0, 0];
  for (const [file, boxes] of truth) {
    const here = found.get(file)?.boxes ?? [];
    const matches = matchBoxes(boxes, here);
    right += matches.pairs.length;
    doubles += matches.doubles;
    ignored += matches.ignored;
    wanted += boxes.filter(({ crowd }) => !crowd).length;
    all += here.length;
  }
  return {
    recall: rounded(right / wanted, 4),
    precision: rounded(right / (all - ignored), 4),
    found: all,
    doubleBoxes: doubles,
    seconds: rounded(seconds, 1),
  };
}
