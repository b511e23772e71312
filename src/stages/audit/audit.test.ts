import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addImages, fresh, imageId, regionOf, said, shard, startRun } from '../../../test/contracts/store/fixtures.ts';
import type { DatasetImage } from '../../core/dataset.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import { NONE_OF_THESE, type Origin } from '../../core/labels.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { openStore } from '../../store/open.ts';
import type { AuditItem, NewAudit, Store } from '../../store/store.ts';
import { answerAudit } from './answers.ts';
import { drawAudit } from './audit.ts';
import type { AuditDesign } from './design.ts';
import { estimateAudit } from './estimate.ts';

interface Thing {
  readonly className: string;
  readonly confidence: number;
  readonly origin: Origin;
}

/** A store of images with one label each, which keeps the audits that are begun in it. */
function world(things: readonly Thing[]) {
  const begun: NewAudit[] = [];
  const images = things.map(({ className, confidence, origin }, i): DatasetImage => {
    const id = sha256Hex(`thing ${i}`);
    const labels = [{ className, confidence, origin, task: 'class' }];
    return { id, file: `${i}.jpg`, width: 1, height: 1, groupId: id, split: null, labels, regions: [] };
  });
  const store: Pick<Store, 'tasks' | 'dataset' | 'audits' | 'auditItems' | 'startAudit'> = {
    tasks: async () => [{ name: 'class', rule: 'single', items: 'images' }],
    async *dataset() {
      yield* images;
    },
    async audits() {
      return begun.map(({ items, ...rest }, i) => ({ ...rest, id: i + 1, items: items.length, answered: 0 })).reverse();
    },
    async auditItems(id) {
      return (begun[id - 1]?.items ?? []).map((item) => ({ ...item, answer: null }));
    },
    async startAudit(audit) {
      return begun.push(audit);
    },
  };
  return { store, begun, images };
}

/** Confidence with a bend in it, right as often as `confidence` says and somewhat less. */
function things(count: number, seed: number): (Thing & { readonly right: boolean })[] {
  const random = seededRandom(seed, 'things');
  return Array.from({ length: count }, () => {
    const confidence = 0.3 + 0.7 * Math.sqrt(random());
    const className = random() < 0.7 ? 'common' : 'rare';
    return { className, confidence, origin: 'model', right: random() < confidence * 0.95 };
  });
}

const options = { task: 'class', origin: null, size: 60, seed: 0, atMs: 0 } as const;

test('strata cut the confidences into parts of about the same size, and each gives its share', async () => {
  const all = things(1000, 1);
  const { store, begun } = world(all);
  await drawAudit(store, { ...options, size: 103 });
  const [{ items, design: text }] = begun as [NewAudit];
  const design = JSON.parse(text) as AuditDesign;
  assert.equal(items.length, 103);
  assert.equal(new Set(items.map(({ itemId }) => itemId)).size, 103);
  assert.equal(design.population, 1000);
  assert.equal(design.strata.length, 5);
  for (const [i, stratum] of design.strata.entries()) {
    const last: boolean = i === design.strata.length - 1;
    const inside: readonly Thing[] = all.filter(({ confidence: c }) => c >= stratum.low && (last || c < stratum.high));
    assert.equal(stratum.population, inside.length);
    assert.ok(Math.abs(stratum.population - 200) < 10, `${stratum.population}`);
    assert.ok(Math.abs(stratum.drawn - 103 / 5) <= 1.5, `${stratum.drawn}`);
    const drawn = items.filter((item) => item.stratum === i);
    assert.equal(drawn.length, stratum.drawn);
    for (const { confidence: c } of drawn) assert.ok(c >= stratum.low && (last || c < stratum.high));
  }
  const ofClass = (name: string) => (design.classes[name] ?? []).reduce((sum, count) => sum + count, 0);
  assert.equal(ofClass('common'), all.filter(({ className }) => className === 'common').length);
  assert.equal(ofClass('common') + ofClass('rare'), 1000);
});

test('a seed draws the same sample again, which is the same audit until somebody answers; another one another', async () => {
  const { store, begun } = world(things(500, 2));
  const draw = (seed: number) => drawAudit(store, { ...options, seed });
  assert.deepEqual([(await draw(3)).id, (await draw(3)).id, (await draw(4)).id], [1, 1, 2]);
  assert.equal((await draw(3)).id, 3, 'only the last one is taken up again');
  const [first, other, again] = begun.map(({ items }) => items.map(({ itemId }) => itemId));
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
});

test('confidences that are all the same, and fewer labels than asked for', async () => {
  const same = world(Array.from({ length: 40 }, () => ({ className: 'a', confidence: 1, origin: 'cluster' as const })));
  await drawAudit(same.store, { ...options, size: 7 });
  assert.equal(same.begun[0]?.items.length, 7);
  await drawAudit(same.store, { ...options, size: 1000 });
  assert.equal(same.begun[1]?.items.length, 40);
  const one = world([{ className: 'a', confidence: 0.5, origin: 'cluster' }]);
  await drawAudit(one.store, { ...options, size: 1 });
  assert.equal(one.begun[0]?.items.length, 1);
});

test('what people said is not asked about, imports only when they are named; another origin is not either', async () => {
  const { store, begun, images } = world(
    (['human', 'imported', 'model', 'cluster', 'detector', 'reference'] as const).map((origin) => ({
      className: 'a',
      confidence: 0.5,
      origin,
    })),
  );
  await drawAudit(store, { ...options, size: 100 });
  assert.deepEqual(begun[0]?.items.map(({ origin }) => origin).sort(), ['cluster', 'detector', 'model', 'reference']);
  await drawAudit(store, { ...options, size: 100, origin: 'cluster' });
  assert.deepEqual(
    begun[1]?.items.map(({ itemId }) => itemId),
    [images[3]?.id],
  );
  await drawAudit(store, { ...options, size: 100, origin: 'imported' });
  assert.deepEqual(
    begun[2]?.items.map(({ itemId }) => itemId),
    [images[1]?.id],
  );
  const refused = (origin: Origin) => drawAudit(store, { ...options, origin });
  await assert.rejects(refused('human'), (error) => error instanceof LabelsmithError && error.code === 'USAGE');
  const empty = world([]);
  await assert.rejects(
    drawAudit(empty.store, options),
    (error) => error instanceof LabelsmithError && error.code === 'NOT_FOUND',
  );
});

test('of 400 whole audits, drawn, answered and estimated, 93 in 100 or more hold the truth', async (t) => {
  const all = things(800, 5);
  const truth = all.filter(({ right }) => right).length / all.length;
  const rare = all.filter(({ className }) => className === 'rare');
  const rareTruth = rare.filter(({ right }) => right).length / rare.length;
  const { store, begun, images } = world(all);
  const rightOf = new Map<ItemId, boolean>(images.map(({ id }, i) => [id, all[i]?.right === true]));
  const AUDITS = 400;
  let [held, heldRare, estimates] = [0, 0, 0];
  for (let seed = 0; seed < AUDITS; seed++) {
    const audit = await drawAudit(store, { ...options, size: 120, seed });
    const items = (begun.pop() as NewAudit).items.map(
      (item): AuditItem => ({ ...item, answer: { right: rightOf.get(item.itemId) === true, trueClass: null } }),
    );
    const { accuracy, classes } = estimateAudit(audit, items);
    assert.ok(accuracy);
    if (accuracy.low <= truth && truth <= accuracy.high) held++;
    const ofRare = classes.find(({ className }) => className === 'rare')?.accuracy;
    if (ofRare && ofRare.low <= rareTruth && rareTruth <= ofRare.high) heldRare++;
    estimates += accuracy.estimate / AUDITS;
  }
  t.diagnostic(`over all ${held} of ${AUDITS}, of the rare class ${heldRare}`);
  assert.ok(held >= 0.93 * AUDITS, `${held}`);
  assert.ok(heldRare >= 0.93 * AUDITS, `${heldRare}`);
  assert.ok(Math.abs(estimates - truth) < 0.01, `${estimates} for ${truth}`);
});

test('answers become human labels, once, and what was drawn is never trained on', async (t) => {
  const store = await fresh(t, openStore);
  await addImages(store, 6);
  const runId = await startRun(store, 'discover');
  const guess = (n: number, confidence: number) =>
    said(imageId(n), n % 2 ? 'cat' : 'dog', { origin: 'cluster', confidence, runId });
  await store.putLabels(Array.from({ length: 6 }, (_, n) => guess(n, 0.4 + n / 10)));
  await store.putLabels([said(imageId(5), 'cow')]);
  const audit = await drawAudit(store, { ...options, size: 10 });
  const items = await store.auditItems(audit.id);
  assert.deepEqual(items.map(({ itemId }) => itemId).sort(), [0, 1, 2, 3, 4].map(imageId).sort());
  assert.deepEqual(await store.auditedItems('class'), new Set(items.map(({ itemId }) => itemId)));
  assert.deepEqual(await store.auditedItems('objects'), new Set());

  const answers = [
    { itemId: imageId(0), className: 'dog', right: true, trueClass: 'dog' },
    { itemId: imageId(1), className: 'cat', right: false, trueClass: 'fox' },
    { itemId: imageId(2), className: 'dog', right: false, trueClass: NONE_OF_THESE },
    { itemId: imageId(3), className: 'cat', right: false, trueClass: null },
  ];
  await answerAudit(store, audit, answers);
  const labelsNow = async () => {
    const found = new Map<string, string>();
    for await (const { id, labels } of store.dataset({ task: 'class' })) {
      found.set(id, labels.map(({ className, origin }) => `${className} ${origin}`).join());
    }
    return [0, 1, 2, 3, 4, 5].map((n) => found.get(imageId(n)) ?? null);
  };
  const expected = ['dog human', 'fox human', null, null, 'dog cluster', 'cow human'];
  assert.deepEqual(await labelsNow(), expected);
  await answerAudit(store, audit, answers);
  assert.deepEqual(await labelsNow(), expected);
  const { checked, right, drawn } = estimateAudit(audit, await store.auditItems(audit.id));
  assert.deepEqual([drawn, checked, right], [5, 4, 1]);
  await assert.rejects(
    answerAudit(store, audit, [{ itemId: imageId(5), className: 'cow', right: true, trueClass: null }]),
  );
});

test('regions are asked about one by one; an answer about one that is gone is kept for the estimate', async (t) => {
  const store = await fresh(t, openStore);
  await addImages(store, 2);
  const runId = await startRun(store, 'detect');
  const dog = { className: 'dog', box: [0, 0, 50, 50], score: 0.5 } as const;
  const car = { className: 'car', box: [100, 100, 200, 200], score: 0.75 } as const;
  await store.commitDetections(
    shard(runId, [
      [imageId(0), [dog, car]],
      [imageId(1), [dog]],
    ]),
  );
  const audit = await drawAudit(store, { ...options, task: 'objects', size: 10 });
  assert.equal(audit.items, 3);
  await store.commitDetections(shard(runId, [[imageId(1), []]]));
  await answerAudit(store, audit, [
    { itemId: regionOf(imageId(0), dog), className: 'dog', right: false, trueClass: 'cat' },
    { itemId: regionOf(imageId(1), dog), className: 'dog', right: true, trueClass: 'dog' },
  ]);
  const { checked, right } = estimateAudit(audit, await store.auditItems(audit.id));
  assert.deepEqual([checked, right], [2, 1]);
  assert.deepEqual(await store.check(), []);
  for await (const { id, regions } of store.dataset({ task: 'objects' })) {
    assert.equal(id, imageId(0));
    assert.deepEqual(regions.flatMap(({ labels }) => labels.map(({ className }) => className)).sort(), ['car', 'cat']);
  }
});

test('where all there is was imported, the refusal says how that is audited', async () => {
  const imported = things(12, 3).map((thing) => ({ ...thing, origin: 'imported' as const }));
  const refused = (of: readonly Thing[]) =>
    drawAudit(world(of).store, options).then(
      () => 'drawn',
      (error: unknown) => (error instanceof LabelsmithError ? error.hint : String(error)),
    );
  assert.equal(
    await refused(imported),
    'What there is was imported (12 labels): labelsmith audit class --origin imported.',
  );
  assert.match(String(await refused([])), /corpus list/);
});
