import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatEvaluation } from '../../cli/print/evaluated.ts';
import type { Detections } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { Origin } from '../../core/labels.ts';
import { evaluate } from './evaluate.ts';
import type { ImagePrediction, Predictions } from './evaluation.ts';
import { readTruth, type Truth } from './ground-truth.ts';

interface Named {
  readonly file: string;
  readonly classes?: readonly string[];
  readonly regions?: readonly ImportedRegion[];
}

function region(className: string, box: ImportedRegion['box'], extra: Partial<ImportedRegion> = {}): ImportedRegion {
  const labels = [{ className, confidence: null, origin: null, task: null }];
  return {
    box,
    unit: 'pixels',
    score: null,
    labels,
    mask: null,
    polygons: null,
    keypoints: null,
    crowd: false,
    ...extra,
  };
}

/** The truth of these files; a file's image is its name without folders, and `gone…` matches nothing. */
function truthOf(files: readonly Named[], canonical?: (name: string) => string): Promise<Truth> {
  async function* source(): AsyncGenerator<ImportedImage> {
    for (const [i, { file, classes = [], regions = [] }] of files.entries()) {
      yield {
        file,
        width: null,
        height: null,
        labels: classes.map((className) => ({ className, confidence: null, origin: null, task: null })),
        regions,
        where: `truth.csv:${i + 2}`,
        split: null,
      };
    }
  }
  return readTruth(source(), {
    task: 'class',
    canonical,
    resolve: async (images) =>
      images.map(({ file }) =>
        file.startsWith('gone') ? null : { id: idOf(file), width: 200, height: 100, orientation: 1 },
      ),
  });
}

function idOf(file: string): string {
  return file.split('/').at(-1) ?? file;
}

function says(
  imageId: string,
  labels: Readonly<Record<string, number>>,
  extra: { guess?: string; cluster?: string; origin?: Origin } = {},
): ImagePrediction {
  const origin = extra.origin ?? 'model';
  return {
    imageId,
    labels: Object.entries(labels).map(([className, confidence]) => ({ className, confidence, origin })),
    guess: extra.guess === undefined ? null : { className: extra.guess, confidence: 0.1, origin },
    cluster: extra.cluster ?? null,
  };
}

function found(...rows: (readonly [classIndex: number, score: number, ...box: number[]])[]): Detections {
  return {
    count: rows.length,
    classes: Int32Array.from(rows, (row) => row[0]),
    scores: Float32Array.from(rows, (row) => row[1]),
    boxes: Float32Array.from(rows.flatMap((row) => row.slice(2))),
  };
}

function predictions(
  labels: readonly ImagePrediction[],
  candidates?: { classNames: string[]; of: Readonly<Record<string, Detections>>; asGuess?: boolean },
): Predictions {
  async function* one<T>(page: T): AsyncGenerator<T> {
    yield page;
  }
  return {
    labels: one(labels),
    candidates: candidates
      ? {
          classNames: candidates.classNames,
          pages: one(Object.entries(candidates.of).map(([imageId, detections]) => ({ imageId, detections }))),
          asGuess: candidates.asGuess ?? false,
        }
      : null,
  };
}

describe('classification', () => {
  test('coverage, accuracy among the labelled, and forced with guesses and none as wrong', async () => {
    const truth = await truthOf([
      { file: 'cat/1.jpg', classes: ['cat'] },
      { file: 'cat/2.jpg', classes: ['cat'] },
      { file: 'dog/3.jpg', classes: ['dog'] },
      { file: 'dog/4.jpg', classes: ['dog'] },
      { file: 'gone/5.jpg', classes: ['dog'] },
    ]);
    const { evaluation, details } = await evaluate(
      truth,
      predictions([says('1.jpg', { cat: 1 }), says('2.jpg', { dog: 1 }), says('3.jpg', {}, { guess: 'dog' })]),
    );
    // Two of four labelled, one right; forced: 1.jpg and 3.jpg right, 2.jpg wrong, 4.jpg has no guess.
    assert.deepEqual(evaluation, {
      images: 4,
      unmatched: 1,
      // Of the labelled cats, one is labelled cat: precision 1, recall 1/2, F1 2/3. Both have confidence 1: |1/2 − 1|.
      classification: {
        machine: { labels: 2, accuracy: 0.5 },
        people: { labels: 0, accuracy: null },
        accuracy: 0.5,
        coverage: 0.5,
        accuracyForced: 0.5,
        macroF1: 2 / 3,
        ece: 0.5,
      },
    });
    assert.deepEqual(details.confusions, [{ truth: 'cat', predicted: 'dog', count: 1 }]);
    assert.deepEqual(truth.unmatchedWhere, ['gone/5.jpg (truth.csv:6)']);
  });

  test("the machine's labels stand first, and people's are apart", async () => {
    const truth = await truthOf(['1', '2', '3', '4'].map((name) => ({ file: `${name}.jpg`, classes: ['cat'] })));
    const { evaluation } = await evaluate(
      truth,
      predictions([
        says('1.jpg', { cat: 0.9 }),
        says('2.jpg', { dog: 0.8 }),
        says('3.jpg', { cat: 1 }, { origin: 'human' }),
        says('4.jpg', { dog: 1 }, { origin: 'imported' }),
      ]),
    );
    const { classification } = evaluation;
    assert.deepEqual(Object.keys(classification ?? {}).slice(0, 2), ['machine', 'people']);
    assert.deepEqual(classification?.machine, { labels: 2, accuracy: 0.5 });
    assert.deepEqual(classification?.people, { labels: 2, accuracy: 0.5 });
  });

  test('an image with several labels is right if the true class is among them', async () => {
    const truth = await truthOf([
      { file: '1.jpg', classes: ['cup'] },
      { file: '2.jpg', classes: ['cup'] },
    ]);
    const { evaluation, details } = await evaluate(
      truth,
      predictions([says('1.jpg', { person: 0.9, cup: 0.4 }), says('2.jpg', { person: 0.9, dog: 0.3 })]),
    );
    assert.equal(evaluation.classification?.accuracy, 0.5);
    assert.deepEqual(details.confusions, [{ truth: 'cup', predicted: 'person', count: 1 }]);
  });

  test('the best candidate is the guess where no label holds, in a task that is derived from regions', async () => {
    const truth = await truthOf([
      { file: '1.jpg', classes: ['cup'] },
      { file: '2.jpg', classes: ['cup'] },
    ]);
    const candidates = {
      classNames: ['person', 'cup'],
      of: { '1.jpg': found([0, 0.1, 0, 0, 9, 9], [1, 0.2, 0, 0, 9, 9]), '2.jpg': found([0, 0.2, 0, 0, 9, 9]) },
    };
    const forced = async (asGuess: boolean) =>
      (await evaluate(truth, predictions([says('2.jpg', {})], { ...candidates, asGuess }))).evaluation.classification;
    assert.deepEqual(await forced(true), {
      machine: { labels: 0, accuracy: null },
      people: { labels: 0, accuracy: null },
      accuracy: null,
      coverage: 0,
      accuracyForced: 0.5,
      macroF1: null,
      ece: null,
    });
    assert.equal(await forced(false), undefined);
  });

  test('an image counts once, under all the classes that TRUTH says of its names', async () => {
    const truth = await truthOf([
      { file: 'a/1.jpg', classes: ['cat'] },
      { file: 'b/1.jpg', classes: ['pet'] },
      { file: 'a/1.jpg', classes: ['cat'] },
    ]);
    assert.equal(truth.images.size, 1);
    assert.equal(truth.repeated, 1);
    const { evaluation } = await evaluate(truth, predictions([says('1.jpg', { pet: 1 })]));
    assert.deepEqual([evaluation.images, evaluation.classification?.accuracy], [1, 1]);
  });

  test('synonyms count as their class', async () => {
    const truth = await truthOf([{ file: '1.jpg', classes: ['kitty'] }], (name) => (name === 'kitty' ? 'cat' : name));
    const { evaluation } = await evaluate(truth, predictions([says('1.jpg', { cat: 1 })]));
    assert.equal(evaluation.classification?.accuracy, 1);
  });
});

describe('clustering', () => {
  const files = ['1', '2', '3', '4'].map((name, i) => ({ file: name, classes: [i < 2 ? 'cat' : 'dog'] }));

  test('clusters with made-up names are compared as clusters, not as classes', async () => {
    const said = ['x', 'x', 'y', 'x'].map((cluster, i) =>
      says(String(i + 1), { [`cluster ${cluster}`]: 0.5 }, { cluster, origin: 'cluster' }),
    );
    const { evaluation } = await evaluate(await truthOf(files), predictions(said));
    assert.equal(evaluation.classification, undefined);
    assert.equal(evaluation.clustering?.accuracy, 0.75);
    assert.equal(evaluation.clustering?.k, 2);
  });

  test('with vectors there is a silhouette, of the images that have one', async () => {
    const said = ['x', 'x', 'y', 'y'].map((cluster, i) =>
      says(String(i + 1), { [cluster]: 0.5 }, { cluster, origin: 'cluster' }),
    );
    const vectors = new Map([0, 1, 4, 6].map((x, i) => [`${i + 1}`, Float32Array.of(x)]));
    const vectorsOf = async (ids: readonly string[]) =>
      new Map(ids.flatMap((id) => (vectors.has(id) ? [[id, vectors.get(id)!]] : [])));
    const truth = await truthOf(files);
    const { evaluation } = await evaluate(truth, { ...predictions(said), vectorsOf });
    // scikit-learn 1.2.1, silhouette_score([[0], [1], [4], [6]], [0, 0, 1, 1]).
    assert.ok(Math.abs((evaluation.clustering?.silhouette as number) - 0.6537337662337662) < 1e-9);
    vectors.clear();
    const without = await evaluate(truth, { ...predictions(said), vectorsOf });
    assert.equal(without.evaluation.clustering?.silhouette, undefined);
    assert.equal(without.evaluation.clustering?.k, 2);
  });

  test('clusters that were named after a true class are compared as both', async () => {
    const said = ['1', '2'].map((id) => says(id, { cat: 0.5 }, { cluster: 'cat', origin: 'cluster' }));
    const { evaluation } = await evaluate(await truthOf(files), predictions(said));
    assert.equal(evaluation.classification?.accuracyForced, 0.5);
    assert.equal(evaluation.clustering?.purity, 1);
  });
});

describe('detection', () => {
  test('fractions become pixels, and classes match by name', async () => {
    const truth = await truthOf([
      { file: '1.jpg', regions: [region('cup', [0.1, 0.2, 0.6, 0.8], { unit: 'fractions' })] },
      { file: '2.jpg' },
    ]);
    // 200 × 100 pixels: [20, 20, 120, 80]. The `person` of 2.jpg is not in TRUTH and is left out.
    const of = { '1.jpg': found([1, 0.9, 20, 20, 120, 80]), '2.jpg': found([0, 0.99, 0, 0, 50, 50]) };
    const { evaluation } = await evaluate(truth, predictions([], { classNames: ['person', 'cup'], of }));
    assert.deepEqual(Object.keys(evaluation), ['images', 'unmatched', 'detection']);
    for (const value of Object.values(evaluation.detection ?? {})) assert.ok(Math.abs((value ?? 0) - 1) < 1e-12);
  });

  test('a detection on an image without boxes is wrong; an image without a record found nothing', async () => {
    const truth = await truthOf([
      { file: 'empty.jpg' },
      { file: '1.jpg', regions: [region('cup', [0, 0, 50, 50])] },
      { file: '2.jpg', regions: [region('cup', [0, 0, 50, 50])] },
    ]);
    const of = { 'empty.jpg': found([0, 0.9, 0, 0, 50, 50]), '1.jpg': found([0, 0.8, 0, 0, 50, 50]) };
    const { evaluation, details } = await evaluate(truth, predictions([], { classNames: ['cup'], of }));
    // Wrong, then right: precision 1/2 up to recall 1/2 (51 of 101 recall points), 0 after.
    assert.ok(Math.abs((evaluation.detection?.AP50 ?? 0) - (51 * 0.5) / 101) < 1e-12);
    assert.equal(details.imagesWithoutCandidates, 1);
  });

  test('an object’s area is what the file says, then its mask’s, its polygons’, its box’s', async () => {
    const truth = await truthOf([
      {
        file: '1.jpg',
        regions: [
          region('cup', [0, 0, 10, 10], { mask: { size: [100, 200], counts: [0, 30, 70, 5] } }),
          region('cup', [0, 0, 0.1, 0.1], { unit: 'fractions', polygons: [[0, 0, 0.1, 0, 0, 0.1]] }),
          region('cup', [0, 0, 10, 20], { crowd: true }),
          region('cup', [0, 0, 10, 20], { area: 12.5, polygons: [[0, 0, 1, 0, 0, 1]] }),
        ],
      },
    ]);
    const boxes = truth.images.get('1.jpg')?.boxes ?? [];
    const areas = [boxes[4], boxes[11], boxes[18], boxes[25]].map((area) => Math.round(area * 1e9) / 1e9);
    // Half of 20 × 10 pixels for the triangle.
    assert.deepEqual(areas, [35, 100, 200, 12.5]);
    assert.equal(boxes[20], 1);
  });

  test('two files with the same bytes do not double the boxes', async () => {
    const regions = [region('cup', [0, 0, 50, 50])];
    const truth = await truthOf([
      { file: 'a/1.jpg', regions },
      { file: 'b/1.jpg', regions },
    ]);
    assert.equal(truth.boxes, 1);
  });
});

test('the text says every part, and what there is nothing of', async () => {
  const truth = await truthOf([{ file: '1.jpg', classes: ['cup'], regions: [region('cup', [0, 0, 50, 50])] }]);
  const of = { '1.jpg': found([0, 0.9, 0, 0, 50, 50]) };
  const full = await evaluate(
    truth,
    predictions([says('1.jpg', { cup: 0.9 }, { cluster: 'a' })], { classNames: ['cup'], of }),
  );
  const text = formatEvaluation(full.evaluation, full.details);
  for (const part of [
    'Compared 1 image.',
    'Classification',
    'accuracy        1.000',
    'Clustering',
    'Detection',
    'APsmall         –',
  ]) {
    assert.ok(text.includes(part), `${part} is not in\n${text}`);
  }
  const nothing = await evaluate(truth, predictions([]));
  assert.deepEqual(nothing.evaluation, { images: 1, unmatched: 0 });
  assert.match(formatEvaluation(nothing.evaluation, nothing.details), /Nothing to compare/);
});
