/**
 * Hand-worked cases with their arithmetic, and values recorded from pycocotools 2.0.11 (numpy 2.4.6) on random cases that
 * this file makes again from the same Park–Miller numbers, `s ← 16807·s mod (2³¹ − 1)`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DetectionEvaluation, type DetectionMetrics, type ScoredBoxes, type TruthBoxes } from './detection.ts';

interface TruthRow {
  readonly classIndex: number;
  readonly box: readonly number[];
  readonly area?: number;
  readonly crowd?: boolean;
}
interface FoundRow {
  readonly classIndex: number;
  readonly box: readonly number[];
  readonly score: number;
}

function truthOf(rows: readonly TruthRow[]): TruthBoxes {
  const area = (b: readonly number[]) => (b[2] - b[0]) * (b[3] - b[1]);
  return {
    count: rows.length,
    boxes: rows.flatMap((row) => row.box),
    classes: rows.map((row) => row.classIndex),
    areas: rows.map((row) => row.area ?? area(row.box)),
    crowds: rows.map((row) => Number(row.crowd ?? false)),
  };
}

function foundOf(rows: readonly FoundRow[]): ScoredBoxes {
  return {
    count: rows.length,
    boxes: rows.flatMap((row) => row.box),
    scores: rows.map((row) => row.score),
    classes: rows.map((row) => row.classIndex),
  };
}

function evaluate(images: readonly { truth: readonly TruthRow[]; found: readonly FoundRow[] }[]): DetectionMetrics {
  const evaluation = new DetectionEvaluation();
  for (const [i, image] of images.entries()) evaluation.add(i, truthOf(image.truth), foundOf(image.found));
  return evaluation.result();
}

function close(actual: number | null, expected: number, message?: string): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) < 1e-9,
    `${message ?? ''} expected ${expected}, got ${actual}`,
  );
}

const A = [0, 0, 100, 100];
const B = [200, 0, 300, 100];
const FAR = [500, 500, 600, 600];

describe('worked by hand', () => {
  test('a perfect detection gives 1, a wrong class and a missing one 0', () => {
    close(evaluate([{ truth: [{ classIndex: 0, box: A }], found: [{ classIndex: 0, box: A, score: 0.9 }] }]).mAP, 1);
    close(evaluate([{ truth: [{ classIndex: 0, box: A }], found: [{ classIndex: 1, box: A, score: 0.9 }] }]).mAP, 0);
    const missing = evaluate([{ truth: [{ classIndex: 0, box: A }], found: [] }]);
    close(missing.mAP, 0);
    close(missing.AR100, 0);
  });

  test('no truth at all is null, not 0', () => {
    const none = evaluate([{ truth: [], found: [{ classIndex: 0, box: A, score: 0.9 }] }]);
    assert.equal(none.mAP, null);
    assert.deepEqual(none.perClass, []);
  });

  test('two truths, right–wrong–right: the precision envelope at 101 recall points', () => {
    // Precision 1, 1/2, 2/3 at recall .5, .5, 1; envelope 1, 2/3, 2/3. Recall points 0 to .50 (51 of them) take 1, the
    // 50 from .51 to 1 take 2/3: (51 + 50 · 2/3) / 101.
    const found = [
      { classIndex: 0, box: A, score: 0.9 },
      { classIndex: 0, box: FAR, score: 0.8 },
      { classIndex: 0, box: B, score: 0.7 },
    ];
    const truth = [A, B].map((box) => ({ classIndex: 0, box }));
    const metrics = evaluate([{ truth, found }]);
    close(metrics.AP50, (51 + (50 * 2) / 3) / 101);
    close(metrics.mAP, (51 + (50 * 2) / 3) / 101);
    // With one detection an image: recall 1/2.
    close(metrics.AR1, 0.5);
    close(metrics.AR10, 1);
  });

  test('an IoU of 3/5 counts at .5, .55 and .6: the threshold itself belongs to it', () => {
    // 100×100 against 100×60 inside it: 6000 / 10000. Three of ten thresholds hold.
    const metrics = evaluate([
      { truth: [{ classIndex: 0, box: A }], found: [{ classIndex: 0, box: [0, 0, 100, 60], score: 0.5 }] },
    ]);
    close(metrics.AP50, 1);
    close(metrics.AP75, 0);
    close(metrics.mAP, 0.3);
  });

  test('a second detection of one truth is wrong; after the last truth it costs nothing', () => {
    const twice = [0.9, 0.8].map((score) => ({ classIndex: 0, box: A, score }));
    close(evaluate([{ truth: [{ classIndex: 0, box: A }], found: twice }]).mAP, 1);
    // Before the last truth it does: precision 1, 1/2, 2/3 again.
    const found = [...twice, { classIndex: 0, box: B, score: 0.7 }];
    const truth = [A, B].map((box) => ({ classIndex: 0, box }));
    close(evaluate([{ truth, found }]).mAP, (51 + (50 * 2) / 3) / 101);
  });

  test('crowds: many detections vanish in one, with the overlap over the detection’s area', () => {
    // Each lies wholly within the crowd (its IoU proper would be 1/100), so all are ignored; A alone counts.
    const crowd = { classIndex: 0, box: [200, 0, 1200, 1000], crowd: true };
    const inside = [0, 1, 2].map((i) => ({
      classIndex: 0,
      box: [300 + 200 * i, 300, 400 + 200 * i, 400],
      score: 0.99,
    }));
    const found = [...inside, { classIndex: 0, box: A, score: 0.5 }];
    close(evaluate([{ truth: [{ classIndex: 0, box: A }, crowd], found }]).mAP, 1);
    // The same three count as wrong without the crowd: precision 1/4 at every recall point.
    close(evaluate([{ truth: [{ classIndex: 0, box: A }], found }]).mAP, 0.25);
  });

  test('a crowd alone is no truth', () => {
    assert.equal(evaluate([{ truth: [{ classIndex: 0, box: A, crowd: true }], found: [] }]).mAP, null);
  });

  test('area ranges: truth outside is ignored, and so is an unmatched detection outside', () => {
    // A is 100² (large); the small truth is 10². In `small` A and its detection are ignored and FAR (100²) too.
    const small = [300, 300, 310, 310];
    const metrics = evaluate([
      {
        truth: [A, small].map((box) => ({ classIndex: 0, box })),
        found: [
          { classIndex: 0, box: FAR, score: 0.9 },
          { classIndex: 0, box: A, score: 0.8 },
          { classIndex: 0, box: small, score: 0.7 },
        ],
      },
    ]);
    close(metrics.APsmall, 1);
    assert.equal(metrics.APmedium, null);
    close(metrics.APlarge, 0.5); // FAR is wrong there, then A is right: precision 1/2.
    close(metrics.mAP, 2 / 3); // Precision 0, 1/2, 2/3; the envelope is 2/3 everywhere.
  });

  test('the mean is over classes with truth; each class counts alike', () => {
    const metrics = evaluate([
      {
        truth: [
          { classIndex: 0, box: A },
          { classIndex: 4, box: B },
        ],
        found: [
          { classIndex: 0, box: A, score: 0.3 },
          { classIndex: 9, box: FAR, score: 0.9 },
        ],
      },
    ]);
    close(metrics.mAP, 0.5);
    assert.deepEqual(
      metrics.perClass.map((c) => [c.classIndex, c.groundTruth, Math.round(c.AP * 1e12) / 1e12]),
      [
        [0, 1, 1],
        [4, 1, 0],
      ],
    );
  });

  test('equal scores go by the image’s order, whatever the order they are added in', () => {
    const right = { truth: [{ classIndex: 0, box: A }], found: [{ classIndex: 0, box: A, score: 0.5 }] };
    const wrong = { truth: [], found: [{ classIndex: 0, box: A, score: 0.5 }] };
    close(evaluate([right, wrong]).mAP, 1);
    close(evaluate([wrong, right]).mAP, 0.5);
    const evaluation = new DetectionEvaluation();
    evaluation.add(1, truthOf(wrong.truth), foundOf(wrong.found));
    evaluation.add(0, truthOf(right.truth), foundOf(right.found));
    close(evaluation.result().mAP, 1);
  });

  test('the 101st detection of a class in an image is not looked at', () => {
    const wrong = Array.from({ length: 100 }, () => ({ classIndex: 0, box: FAR, score: 0.9 }));
    const truth = [{ classIndex: 0, box: A }];
    close(evaluate([{ truth, found: [...wrong, { classIndex: 0, box: A, score: 0.5 }] }]).mAP, 0);
    close(evaluate([{ truth, found: [...wrong.slice(1), { classIndex: 0, box: A, score: 0.5 }] }]).mAP, 0.01);
  });
});

/** The random case of a seed: images with jittered detections, crowds, ties, and a class that has no truth. */
function randomCase(seed: number): { truth: TruthRow[]; found: FoundRow[] }[] {
  let state = seed;
  const draw = (n: number) => {
    state = (state * 16807) % 2147483647;
    return state % n;
  };
  const box = (x: number, y: number, w: number, h: number) => [x, y, x + w, y + h];
  const classes = 4;
  const stray = (classIndex: number): FoundRow => {
    const [x, y, w, h] = [draw(1200) / 4, draw(1200) / 4, (8 + draw(400)) / 4, (8 + draw(400)) / 4];
    return { classIndex, box: box(x, y, w, h), score: (1 + draw(20)) / 20 };
  };
  return Array.from({ length: 25 }, (_, image) => {
    const truth: TruthRow[] = [];
    const found: FoundRow[] = [];
    for (let n = draw(9); n > 0; n--) {
      const classIndex = draw(classes - 1);
      const [x, y] = [draw(1200) / 4, draw(1200) / 4];
      const size = [60, 300, 1000][draw(3)];
      const [w, h] = [(8 + draw(size)) / 4, (8 + draw(size)) / 4];
      const crowd = draw(12) === 0;
      truth.push({ classIndex, box: box(x, y, w, h), area: (w * h * (2 + draw(3))) / 4, crowd });
      for (let m = draw(4); m > 0; m--) {
        const jitter = [2, 8, 30][draw(3)];
        const [dx, dy, dw, dh] = [draw(jitter) / 4, draw(jitter) / 4, draw(jitter) / 4, draw(jitter) / 4];
        const given = draw(6) === 0 ? draw(classes) : classIndex;
        found.push({ classIndex: given, box: box(x + dx, y + dy, w + dw, h + dh), score: (1 + draw(20)) / 20 });
      }
    }
    for (let n = draw(5); n > 0; n--) found.push(stray(draw(classes)));
    if (image === 3) for (let n = 0; n < 130; n++) found.push(stray(0));
    return { truth, found };
  });
}

/** `COCOeval.stats`, and the mean precision of the three classes that have truth. */
const RECORDED: readonly { seed: number; boxes: number; found: number; stats: number[]; perClass: number[] }[] = [
  {
    seed: 1,
    boxes: 87,
    found: 302,
    stats: [
      0.1326665781, 0.204367866, 0.1223076375, 0.1343453486, 0.1475037129, 0.3885895018, 0.1599145299, 0.4575213675,
      0.4575213675, 0.3912750627, 0.569047619, 0.4375,
    ],
    perClass: [0.0637761753, 0.1198019802, 0.2144215787],
  },
  {
    seed: 42,
    boxes: 127,
    found: 359,
    stats: [
      0.1991371131, 0.2471746699, 0.2121221404, 0.1985239024, 0.2584544936, 0.4176504793, 0.2029824561, 0.5173440546,
      0.5173440546, 0.4186363636, 0.7174074074, 0.4951659452,
    ],
    perClass: [0.0800980171, 0.2508542166, 0.2664591055],
  },
  {
    seed: 2024,
    boxes: 83,
    found: 285,
    stats: [
      0.179734656, 0.2488025881, 0.190655299, 0.1302627338, 0.3097093629, 0.3570217022, 0.2170977011, 0.5180076628,
      0.5180076628, 0.4476190476, 0.6168518519, 0.4933333333,
    ],
    perClass: [0.1116410851, 0.2085687608, 0.2189941221],
  },
  {
    seed: 777777,
    boxes: 96,
    found: 331,
    stats: [
      0.2132371381, 0.2662201809, 0.2247570277, 0.1824192825, 0.2451011642, 0.6924228357, 0.2127777778, 0.537962963,
      0.537962963, 0.4462962963, 0.5717460317, 0.8566666667,
    ],
    perClass: [0.0646149482, 0.3430963558, 0.2320001104],
  },
];

describe('pycocotools 2.0.11 on random cases', () => {
  for (const { seed, boxes, found, stats, perClass } of RECORDED) {
    test(`seed ${seed}`, () => {
      const images = randomCase(seed);
      assert.equal(images.flatMap((image) => image.truth).length, boxes);
      assert.equal(images.flatMap((image) => image.found).length, found);
      const m = evaluate(images);
      const ours = [m.mAP, m.AP50, m.AP75, m.APsmall, m.APmedium, m.APlarge, m.AR1, m.AR10, m.AR100];
      ours.push(m.ARsmall, m.ARmedium, m.ARlarge);
      for (const [i, value] of stats.entries()) close(ours[i], value, `stats[${i}]`);
      assert.equal(m.perClass.length, perClass.length);
      for (const [i, value] of perClass.entries()) close(m.perClass[i].AP, value, `class ${i}`);
    });
  }
});
