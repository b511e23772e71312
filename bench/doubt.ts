/**
 * What a detector's scores mean, and which classes of its are really in a pile.
 *
 * The odds of `score-odds.ts` are fitted on COCO photographs. How much prior knowledge counts and how sure a region has to be
 * is chosen by leaving sets out: for every set that holds next to nothing of COCO the settings are those that take the most
 * regions away on the others while COCO photographs, with odds from the other half of them, keep their precision and recall, and
 * while a few of them among the images of such a set keep nine in ten of their right regions.
 * All regions on such sets count as false, though a vase is a vase on a photograph of flowers too.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { boxAt, type Detections } from '../src/core/boxes.ts';
import { COCO_CLASSES } from '../src/core/coco-classes.ts';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { DEFAULT_ACCEPT_RULES, DEFAULT_THRESHOLD } from '../src/corpus/accept.ts';
import { openWorkspace } from '../src/jobs/workspace.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { detectIn } from '../src/stages/detect/detect.ts';
import { classDoubts, type DoubtSettings, ScoreHistograms } from '../src/stages/detect/doubt.ts';
import type { ScoreOdds } from '../src/stages/detect/score-odds.ts';
import { type CocoBox, matchBoxes, readCoco } from './coco-boxes.ts';
import { dataSet } from './photos.ts';
import { fitLogistic } from './piles/fit-logistic.ts';
import { inScratch, rounded } from './process.ts';

const THREADS = 2;
const MODELS = ['centernet', 'nanodet'];
const COCO = 'coco-train128';
/** Sets with next to nothing that COCO names. */
const WITHOUT = ['electronics', 'euro-coins', 'flowers', 'plankton', 'steel-strip', 'trash'];
/** Sets with some of it. */
const WITH_SOME = ['caltech-30', 'cartons', 'household', 'monkeys', 'pc-parts', 'satellite'];
const IMAGES = 150;
/** Of the right regions on COCO photographs so many have to stay. */
const MIN_RIGHT = 0.98;
/** COCO photographs among the images of a set without, and how many of their right regions have to stay. */
const AMONG = 32;
const MIN_RIGHT_AMONG = 0.9;

const SETTINGS: DoubtSettings[] = [50, 200].flatMap((pileStrength) =>
  [10, 25, 50, 100, 200, 400].flatMap((classStrength) =>
    [0.1, 0.15, 0.2, 0.25, 0.3].map((leastChance) => ({ pileStrength, classStrength, leastChance })),
  ),
);

interface Found {
  readonly file: string;
  readonly detections: Detections;
}

export async function run(): Promise<unknown> {
  const results: Record<string, unknown> = {};
  for (const model of MODELS) results[model] = await forModel(model);
  return results;
}

async function forModel(model: string): Promise<unknown> {
  const coco = truthOf(await candidatesOf(model, COCO));
  const sets = new Map<string, Found[]>();
  for (const set of [...WITHOUT, ...WITH_SOME]) sets.set(set, await candidatesOf(model, set));
  const odds = await fitOdds(coco);
  const halves = [0, 1].map((half) => coco.filter((_, i) => i % 2 === half));
  const oddsOfRest = await fitOdds(coco.slice(AMONG));
  const oddsOfHalves = [await fitOdds(halves[1]), await fitOdds(halves[0])];
  const onCoco = (settings: DoubtSettings) =>
    scoreOf(halves.flatMap((half, h) => judged(half, oddsOfHalves[h], settings)));
  const flat = scoreOf(coco.flatMap(({ found, right }) => usual(found.detections).map((i) => right[i])));
  const allowed = SETTINGS.filter((settings) => {
    const { right, precision } = onCoco(settings);
    return right >= MIN_RIGHT * flat.right && precision >= flatAt(coco, right).precision;
  });
  const shownOdds = {
    intercept: rounded(odds.intercept, 4),
    slope: rounded(odds.slope, 4),
    share: rounded(odds.share, 4),
  };
  // As with NanoDet, whose scores mean different things for different classes: the product does not doubt it.
  if (allowed.length === 0) return { odds: shownOdds, coco: { flat: shown(flat) }, chosenOnAll: null };
  const gone = (set: string, settings: DoubtSettings) => goneOf(sets.get(set) ?? [], odds, settings);
  /** Share of the right regions of some COCO photographs among the images of a set that stay. */
  const mixed = coco.slice(0, AMONG);
  const among = (set: string, settings: DoubtSettings) => {
    const others = (sets.get(set) ?? []).map((found) => ({
      found,
      right: Array<boolean>(found.detections.count).fill(false),
    }));
    const kept = scoreOf(judged([...mixed, ...others], oddsOfRest, settings)).right;
    const before = scoreOf(mixed.flatMap(({ found, right }) => usual(found.detections).map((i) => right[i]))).right;
    return kept / before;
  };
  const bestFor = (chosenOn: readonly string[]) => {
    const mean = (worth: (set: string) => number) =>
      chosenOn.reduce((sum, set) => sum + worth(set), 0) / chosenOn.length;
    const keeping = allowed.filter((settings) => mean((set) => among(set, settings)) >= MIN_RIGHT_AMONG);
    return bestOf(keeping, (settings) => mean((set) => gone(set, settings).share));
  };
  const rows = WITHOUT.map((set) => {
    const others = WITHOUT.filter((other) => other !== set);
    const best = bestFor(others);
    const { before, after } = gone(set, best);
    return { set, regions: before, kept: after, rightAmong: rounded(among(set, best)), ...best };
  });
  const chosen = bestFor(WITHOUT);
  const before = rows.reduce((sum, { regions }) => sum + regions, 0);
  const after = rows.reduce((sum, { kept }) => sum + kept, 0);
  return {
    odds: shownOdds,
    coco: {
      flat: shown(flat),
      doubted: shown(onCoco(chosen)),
      flatAtEqualRecall: shown(flatAt(coco, onCoco(chosen).right)),
    },
    leftOut: { regions: before, kept: after, gone: rounded(1 - after / before), sets: rows },
    chosenOnAll: chosen,
    setsWithSome: WITH_SOME.map((set) => ({ set, ...gone(set, chosen) })),
    sureOfClasses: reliability([...halves.entries()].flatMap(([h, half]) => sureness(half, oddsOfHalves[h], chosen))),
  };
}

/** Candidates on at most {@link IMAGES} images of a set, by the model and the decoder of the product. */
function candidatesOf(model: string, set: string): Promise<Found[]> {
  // Workspaces stay where `LABELSMITH_BENCH_CACHE` names a folder, and the next run detects nothing.
  const cache = process.env.LABELSMITH_BENCH_CACHE;
  const within = (work: (dir: string) => Promise<Found[]>) =>
    cache ? work(join(cache, 'doubt', `${model}-${set}`)) : inScratch(work);
  return within(async (dir) => {
    const workspace = await openWorkspace(join(dir, 'workspace'), { create: true });
    try {
      const folder = dataSet(set);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(jpe?g|png|bmp)$/i.test(name))
        .sort();
      const drawn = shuffled(files, seededRandom(7, set)).slice(0, IMAGES);
      const options = { seed: 0, threads: THREADS };
      const sources = await openSources(
        workspace,
        drawn.map((name) => join(folder, name)),
        { cwd: process.cwd() },
      );
      await addTo(workspace, sources, { ...options, sync: false });
      const detector = await workspace.models.openDetector(model, { threads: THREADS });
      try {
        const rules = DEFAULT_ACCEPT_RULES;
        await detectIn(workspace, detector, { ...options, rules, force: false, task: 'objects' });
      } finally {
        await detector.close();
      }
      const found: Found[] = [];
      for await (const page of workspace.store.candidates(detector.key)) {
        const paths = await workspace.store.pathsOfImages(page.map(({ imageId }) => imageId));
        for (const { imageId, detections } of page) {
          const file = paths.get(imageId)?.[0]?.path.split('/').at(-1) ?? '';
          found.push({ file, detections });
        }
      }
      return found;
    } finally {
      await workspace.close();
    }
  });
}

interface Judged {
  readonly found: Found;
  /** Of each candidate: right, wrong, or neither (over a crowd). */
  readonly right: readonly (boolean | null)[];
}

function truthOf(found: readonly Found[]): Judged[] {
  const truth = readCoco(join(dataSet(COCO), 'instances.json'));
  return found.map((one) => {
    const { detections, file } = one;
    const boxes = truth.get(file)?.boxes ?? [];
    const candidates = Array.from({ length: detections.count }, (_, i): CocoBox & { readonly at: number } => ({
      at: i,
      box: boxAt(detections, i),
      category: categoryOf(detections.classes[i]),
      score: detections.scores[i],
      crowd: false,
      segmentation: null,
      keypoints: undefined,
    }));
    const matched = new Set(matchBoxes(boxes, candidates).pairs.map(({ found: pair }) => pair));
    const right = candidates.map((candidate) => matched.has(candidate));
    return { found: one, right };
  });
}

const categoryOf = (index: number) => COCO_CLASSES[index][0];
const nameOf = (index: number) => String(categoryOf(index));

async function fitOdds(images: readonly Judged[]): Promise<ScoreOdds> {
  const cases = images.flatMap(({ found, right }) =>
    right.flatMap((positive, i) => {
      const score = Math.min(0.999, found.detections.scores[i]);
      return positive === null ? [] : [{ features: [Math.log(score / (1 - score))], positive }];
    }),
  );
  const [intercept, slope] = await fitLogistic(cases);
  return { intercept, slope, share: cases.filter(({ positive }) => positive).length / cases.length };
}

function doubtsOf(images: readonly Found[], odds: ScoreOdds, settings: DoubtSettings) {
  const histograms = new ScoreHistograms();
  for (const { detections } of images) histograms.add(detections, nameOf);
  return classDoubts(histograms, odds, settings);
}

function usual({ count, scores }: Detections): number[] {
  return [...Array(count).keys()].filter((i) => scores[i] >= DEFAULT_THRESHOLD);
}

/** Whether each region that is kept is right. */
function judged(images: readonly Judged[], odds: ScoreOdds, settings: DoubtSettings): (boolean | null)[] {
  const found = images.map((one) => one.found);
  const thresholds = new Map(doubtsOf(found, odds, settings).map(({ name, threshold }) => [name, threshold]));
  return images.flatMap(({ found: { detections }, right }) =>
    usual(detections)
      .filter((i) => detections.scores[i] >= (thresholds.get(nameOf(detections.classes[i])) ?? DEFAULT_THRESHOLD))
      .map((i) => right[i]),
  );
}

function goneOf(images: readonly Found[], odds: ScoreOdds, settings: DoubtSettings) {
  const doubts = doubtsOf(images, odds, settings);
  const after = doubts.reduce((sum, { regions }) => sum + regions, 0);
  const before = after + doubts.reduce((sum, { doubtful }) => sum + doubtful, 0);
  return { before, after, share: before === 0 ? 1 : rounded(1 - after / before) };
}

interface Score {
  readonly regions: number;
  readonly right: number;
  readonly precision: number;
}

function scoreOf(kept: readonly (boolean | null)[]): Score {
  const told = kept.filter((one) => one !== null);
  const right = told.filter(Boolean).length;
  return { regions: told.length, right, precision: right / Math.max(1, told.length) };
}

/** One threshold for all classes, as high as it may be with so many right ones. */
function flatAt(images: readonly Judged[], right: number): Score {
  const all = images.flatMap(({ found: { detections }, right: own }) =>
    own.flatMap((one, i) => (one === null ? [] : [{ right: one, score: detections.scores[i] }])),
  );
  all.sort((a, b) => b.score - a.score);
  let found = 0;
  const end = all.findIndex((one) => one.right && ++found === right);
  return scoreOf(all.slice(0, end + 1).map((one) => one.right));
}

const shown = ({ precision, ...rest }: Score) => ({ ...rest, precision: rounded(precision) });

function bestOf(settings: readonly DoubtSettings[], worth: (one: DoubtSettings) => number): DoubtSettings {
  const [first, ...others] = settings;
  if (!first) throw new Error('there is nothing to choose from');
  return others.reduce((best, one) => (worth(one) > worth(best) ? one : best), first);
}

/** Of small piles of COCO photographs: what is said of each class, and whether any of its regions is right. */
function sureness(images: readonly Judged[], odds: ScoreOdds, settings: DoubtSettings) {
  const piles = [8, 16, 32].flatMap((size) =>
    Array.from({ length: Math.floor(images.length / size) }, (_, p) => images.slice(p * size, (p + 1) * size)),
  );
  return piles.flatMap((pile) => {
    const there = new Set(
      pile.flatMap(({ found: { detections }, right }) =>
        usual(detections).flatMap((i) => (right[i] ? [nameOf(detections.classes[i])] : [])),
      ),
    );
    const found = pile.map((one) => one.found);
    return doubtsOf(found, odds, settings).map(({ name, chance }) => ({ chance, there: there.has(name) }));
  });
}

function reliability(cases: readonly { readonly chance: number; readonly there: boolean }[]) {
  return [
    [0, 0.5],
    [0.5, 0.8],
    [0.8, 0.95],
    [0.95, 1.01],
  ].map(([from, to]) => {
    const own = cases.filter(({ chance }) => chance >= from && chance < to);
    return {
      chance: `${from} to ${Math.min(1, to)}`,
      classes: own.length,
      there: own.length === 0 ? null : rounded(own.filter(({ there }) => there).length / own.length),
    };
  });
}
