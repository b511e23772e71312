/**
 * Random sequences of what people do, of cuts and of undo and redo, against a model that knows nothing of clusters: a stack of acts, each a
 * name for the items that were in a class when it was done. Made-up vectors: six kinds on six axes, and some in between.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { said } from '../../../test/contracts/store/fixtures.ts';
import { idOf, openVectorPile, type VectorPile } from '../../../test/fixtures/vector-pile.ts';
import { thorough } from '../../../test/thorough.ts';
import { seededRandom } from '../../core/random.ts';
import { change, type Operation } from '../../corpus/corpus.ts';
import { InferencePool } from '../../onnx/pool.ts';
import type { Store } from '../../store/store.ts';
import { redoOperation } from '../audit/answer-one.ts';
import { savedModel } from './cluster-model.ts';
import { clustersToName } from './clusters-to-name.ts';
import { heldClasses } from './held-classes.ts';
import type { DiscoverOptions } from './options.ts';
import { undoCorpusChange } from './relabel.ts';
import { splitClassIn } from './split-class.ts';

const KINDS = 6;

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

function vectorOf(n: number): number[] {
  const random = seededRandom(n, 'vector');
  return Array.from({ length: 8 }, (_, j) => (j === n % KINDS ? 1 : 0) + 0.8 * random());
}

/** A name for items. */
type Act = ReadonlyMap<number, string>;

/** What a person said of an item, in a task of its own: the name as it is called, and as it was called before each act that renamed it. */
interface Word {
  name: string;
  readonly before: { readonly act: Act; readonly name: string }[];
}

class Pile {
  readonly pile: VectorPile;
  readonly store: Store;
  /** Acts that stand, and those that can be done again, the last undone last. */
  readonly standing: Act[] = [];
  readonly undone: Act[] = [];
  /** By item. */
  readonly words = new Map<number, Word>();
  /** What acts called classes. */
  readonly #renamed = new Map<Act, ReadonlyMap<string, string>>();

  constructor(pile: VectorPile) {
    this.pile = pile;
    this.store = pile.store;
  }

  async discover(options: Partial<DiscoverOptions>): Promise<void> {
    await this.pile.discover(options);
  }

  /** The class of each item; items that are not clustered yet have none. */
  async classes(): Promise<(string | undefined)[]> {
    const ids = Array.from({ length: this.pile.count }, (_, n) => idOf(n));
    const labels = await this.store.labelsOf(ids, 'class');
    return ids.map((id) => {
      const own = (labels.get(id) ?? []).filter(({ present }) => present);
      assert.ok(own.length <= 1, `${own.length} labels of one item`);
      return own[0]?.className;
    });
  }

  async membersOf(names: readonly string[]): Promise<number[]> {
    const classes = await this.classes();
    return [...classes.keys()].filter((n) => names.includes(classes[n] ?? ''));
  }

  done(act: Act, renamed: ReadonlyMap<string, string> = new Map()): void {
    this.#renamed.set(act, renamed);
    this.undone.length = 0;
    this.stand(act);
  }

  /** Done, or done again: what was said of a class is called as the class is. */
  stand(act: Act): void {
    this.standing.push(act);
    for (const word of this.words.values()) {
      const to = this.#renamed.get(act)?.get(word.name);
      if (to === undefined || to === word.name) continue;
      word.before.push({ act, name: word.name });
      word.name = to;
    }
  }

  /** Undone: it takes back its names from what was said before it, and from nothing else. */
  fall(act: Act): void {
    this.undone.push(act);
    for (const word of this.words.values())
      if (word.before.at(-1)?.act === act) word.name = word.before.pop()?.name ?? '';
  }

  async change(operation: Operation, act: Act): Promise<void> {
    if (await change(this.store, operation)) this.done(act, namesOf(operation));
  }

  async checkWords(told: string): Promise<void> {
    const labels = await this.store.labelsOf([...this.words.keys()].map(idOf), 'said');
    for (const [n, { name }] of this.words) {
      assert.deepEqual(
        labels.get(idOf(n))?.map(({ className }) => className),
        [name],
        `said of item ${n}; ${told}`,
      );
    }
  }

  /** What items are called whom acts that stand are about. */
  expected(): Map<number, string> {
    return new Map(this.standing.flatMap((act) => [...act]));
  }

  async check(told: string): Promise<void> {
    const [classes, expected] = [await this.classes(), this.expected()];
    for (const [n, name] of expected) assert.equal(classes[n], name, `item ${n} after ${told}`);
    const standing = new Set(this.standing.flatMap((act) => [...act.values()]));
    const gone = new Set(this.undone.flatMap((act) => [...act.values()]).filter((name) => !standing.has(name)));
    const spoken = new Set([...this.words.values()].map(({ name }) => name));
    await this.checkWords(told);
    const records = await this.store.classes();
    for (const { name, counts } of records) {
      const count = counts.reduce((sum, one) => sum + one.count, 0);
      assert.ok(!gone.has(name) || name.startsWith('unnamed') || spoken.has(name), `${name} was undone; ${told}`);
      assert.ok(count > 0 || standing.has(name), `${name} has no items; ${told}`);
    }
    const shown = await clustersToName(this.store, 'class');
    const items = shown.reduce((sum, one) => sum + one.items, 0);
    assert.equal(items, classes.filter((name) => name !== undefined).length, `clusters to name; ${told}`);
    assert.equal(new Set(shown.map(({ name }) => name)).size, shown.length);
  }
}

function namesOf(operation: Operation): ReadonlyMap<string, string> {
  if (operation.kind === 'rename') return new Map([[operation.from, operation.to]]);
  if (operation.kind === 'merge') return new Map(operation.names.map((name) => [name, operation.into]));
  return operation.kind === 'map' ? operation.mapping : new Map();
}

type Random = () => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)];
let names = 0;

async function twoClasses(pile: Pile, random: Random): Promise<[string, string]> {
  const classes = [...new Set((await pile.classes()).filter((name) => name !== undefined))];
  const first = pick(random, classes);
  return [
    first,
    pick(
      random,
      classes.filter((name) => name !== first),
    ) ?? first,
  ];
}

const named = (members: readonly number[], name: string): Act => new Map(members.map((n) => [n, name]));

const STEPS: Readonly<Record<string, (pile: Pile, random: Random) => Promise<unknown>>> = {
  async name(pile, random) {
    const [from] = await twoClasses(pile, random);
    const to = `name ${++names}`;
    await pile.change({ kind: 'rename', from, to }, named(await pile.membersOf([from]), to));
  },
  async confirm(pile, random) {
    const [from] = await twoClasses(pile, random);
    await pile.change({ kind: 'rename', from, to: from }, named(await pile.membersOf([from]), from));
  },
  async merge(pile, random) {
    const [a, b] = await twoClasses(pile, random);
    if (a === b) return;
    const into = random() < 0.5 ? a : `merged ${++names}`;
    await pile.change({ kind: 'merge', names: [a, b], into }, named(await pile.membersOf([a, b]), into));
  },
  async sheet(pile, random) {
    const [a, b] = await twoClasses(pile, random);
    const [to, other] = [`sheet ${++names}`, `sheet ${++names}`];
    const both = random() < 0.5;
    const mapping = new Map([
      [a, to],
      [b, both ? to : other],
    ]);
    const act = new Map([
      ...named(await pile.membersOf([a]), to),
      ...named(await pile.membersOf([b]), both || a === b ? (mapping.get(b) as string) : other),
    ]);
    await pile.change({ kind: 'map', mapping }, a === b ? named([...act.keys()], mapping.get(a) as string) : act);
  },
  async split(pile, random) {
    const [className] = await twoClasses(pile, random);
    const members = await pile.membersOf([className]);
    if (members.length < 4) return;
    const { event } = await splitClassIn(pile.pile.workspace, { className, into: 2 }, { seed: 0, threads: 1 });
    const classes = await pile.classes();
    if (event) pile.done(new Map(members.map((n) => [n, classes[n] as string])));
  },
  cut: (pile, random) => pile.discover({ k: 2 + Math.floor(random() * 12) }),
  auto: (pile) => pile.discover({}),
  recluster: (pile, random) => pile.discover({ k: 2 + Math.floor(random() * 12), recluster: true }),
  async add(pile, random) {
    await pile.pile.add(1 + Math.floor(random() * 6));
    await pile.discover({});
  },
  async undo(pile) {
    const event = await undoCorpusChange(pile.store);
    const act = pile.standing.pop();
    assert.equal(event === null, act === undefined);
    if (act) pile.fall(act);
  },
  async redo(pile) {
    const operation = await redoOperation(pile.store);
    const act = pile.undone.pop();
    assert.equal(operation === null, act === undefined);
    if (act) pile.stand(act);
  },
  async say(pile, random) {
    const item = Math.floor(random() * pile.pile.count);
    const name = (await pile.classes())[item];
    if (name === undefined || pile.words.has(item)) return;
    await pile.store.putLabels([said(idOf(item), name, { task: 'said' })]);
    pile.words.set(item, { name, before: [] });
  },
};

test('images that were put into a cluster before it was named are of the name; those that come after it are the machine’s', async (t) => {
  const pile = new Pile(await openVectorPile(t, pool, vectorOf));
  await pile.pile.add(48);
  await pile.discover({ k: KINDS, recluster: true });
  const [from] = await pile.classes();
  assert.ok(from !== undefined);
  // Two more of each kind before it is named, and after that.
  await pile.pile.add(2 * KINDS);
  await pile.discover({});
  await change(pile.store, { kind: 'rename', from, to: 'KEEP' });
  await pile.pile.add(2 * KINDS);
  await pile.discover({});
  /** As a new clustering of all would hold them together. */
  const held = async () => {
    const ids = Array.from({ length: pile.pile.count }, (_, n) => idOf(n));
    const { names, classOf } = await heldClasses(pile.store, 'class', await savedModel(pile.store, 'class'), ids);
    return [...ids.keys()].filter((n) => names[classOf.get(ids[n]) ?? -1] === 'KEEP');
  };
  const called = [...(await pile.classes()).entries()].flatMap(([n, name]) => (name === 'KEEP' ? [n] : []));
  assert.deepEqual(
    called,
    [...Array(72).keys()].filter((n) => n % KINDS === 0),
    'all of one kind',
  );
  assert.deepEqual(
    await held(),
    called.filter((n) => n < 60),
  );
  // Another cut labels all anew, and loses none of them.
  await pile.discover({ k: 9 });
  const stayed = await held();
  assert.deepEqual(
    called.filter((n) => n < 60 && !stayed.includes(n)),
    [],
  );
  await undoCorpusChange(pile.store);
  assert.deepEqual(await held(), []);
});

/** Undo as often as all that can be undone, since what comes after it is what is looked for. */
const OFTEN = ['undo', 'undo', 'redo', 'cut', 'recluster', 'name', 'merge'];
/** People say much, in between: it costs next to nothing. */
const SAID_A_STEP = 2;

const SEEDS = Number(process.env.LABELSMITH_ACTS_SEEDS ?? thorough(4, 40));
for (let seed = 0; seed < SEEDS; seed++) {
  test(`names follow their items through cuts, undo and redo: sequence ${seed}`, async (t) => {
    const pile = new Pile(await openVectorPile(t, pool, vectorOf));
    const random = seededRandom(seed, 'acts');
    await pile.pile.add(48);
    await pile.discover({ k: KINDS, recluster: true });
    await pile.store.ensureTask({ name: 'said', rule: 'single', items: 'images' });
    const told: string[] = [];
    for (let step = 0; step < 25; step++) {
      const name = pick(random, [...Object.keys(STEPS), ...OFTEN]);
      told.push(name);
      try {
        await STEPS[name](pile, random);
      } catch (error) {
        throw new Error(`${told.join(' ')}: ${error instanceof Error ? error.stack : error}`);
      }
      for (let n = 0; n < SAID_A_STEP; n++) await STEPS.say(pile, random);
      await pile.check(told.join(' '));
    }
  });
}
