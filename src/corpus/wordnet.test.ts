import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COCO_NAMES } from '../core/coco-classes.ts';
import { COCO_SYNSETS } from './coco-synsets.ts';
import { groundingOf, lookUp } from './grounding.ts';
import { HEADINGS } from './supercategories.ts';
import { wordNet } from './wordnet.ts';

const net = wordNet();

// Words of each gloss in WordNet 3.1, read by hand beside pictures of the class.
const GLOSSES: Readonly<Record<string, RegExp>> = {
  person: /human being/,
  bicycle: /two wheels/,
  car: /motor vehicle with four wheels/,
  motorcycle: /two wheels and a strong frame/,
  airplane: /fixed wing/,
  bus: /vehicle carrying many passengers/,
  train: /railway cars/,
  truck: /hauling/,
  boat: /vessel for travel on water/,
  'traffic light': /control the flow of traffic/,
  'fire hydrant': /fighting a fire/,
  'stop sign': /sign visible from the street/,
  'parking meter': /parking space/,
  bench: /long seat/,
  bird: /egg-laying vertebrates/,
  cat: /feline/,
  dog: /genus Canis/,
  horse: /hoofed/,
  sheep: /woolly/,
  cow: /female of domestic cattle/,
  elephant: /pachyderm/,
  bear: /massive plantigrade/,
  zebra: /striped/,
  giraffe: /tallest/,
  backpack: /strap on your back/,
  umbrella: /collapsible canopy/,
  handbag: /carrying money/,
  tie: /neckwear/,
  suitcase: /carrying clothes/,
  frisbee: /plastic disk/,
  skis: /runners/,
  snowboard: /board that resembles a broad ski/,
  'sports ball': /hit or thrown or kicked in games/,
  kite: /plaything .* string/,
  'baseball bat': /used in baseball by the batter/,
  'baseball glove': /used by fielders/,
  skateboard: /wheels that is ridden/,
  surfboard: /riding surf/,
  'tennis racket': /play tennis/,
  bottle: /vessel .*drinks/,
  'wine glass': /wine is served/,
  cup: /small open container/,
  fork: /cutlery/,
  knife: /edge tool/,
  spoon: /cutlery/,
  bowl: /dish that is round/,
  banana: /yellow fruit/,
  apple: /fruit with red or yellow or green skin/,
  sandwich: /slices of bread/,
  orange: /citrus/,
  broccoli: /flower heads/,
  carrot: /orange root/,
  'hot dog': /served hot on a bun/,
  pizza: /Italian open pie/,
  donut: /friedcake/,
  cake: /flour/,
  chair: /seat for one person/,
  couch: /upholstered seat/,
  'potted plant': /flowerpot/,
  bed: /furniture .*sleep/,
  'dining table': /meals are served/,
  toilet: /plumbing fixture/,
  tv: /receives television signals/,
  laptop: /portable computer/,
  mouse: /hand-operated electronic device/,
  remote: /control a machine/,
  keyboard: /data input device for computers/,
  'cell phone': /mobile radiotelephone/,
  microwave: /cooks food/,
  oven: /baking or roasting/,
  toaster: /toasting bread/,
  sink: /water basin/,
  refrigerator: /food can be stored/,
  book: /number of pages/,
  clock: /timepiece/,
  vase: /ornament|flowers/,
  scissors: /crossed pivoting blades/,
  'teddy bear': /toy bear/,
  'hair drier': /blower/,
  toothbrush: /clean teeth/,
};

test('every name of COCO has a synset that is there and means it', () => {
  assert.deepEqual(Object.keys(COCO_SYNSETS), COCO_NAMES);
  assert.deepEqual(Object.keys(GLOSSES), COCO_NAMES);
  for (const [name, key] of Object.entries(COCO_SYNSETS)) {
    const synset = net.synset(key);
    assert.ok(synset, `${name}: ${key}`);
    assert.equal(synset.key, key, `${name}: the key is that of the synset's first word`);
    assert.match(synset.definition, GLOSSES[name], name);
  }
});

test('headings name synsets that are there, and place every name of COCO once', () => {
  for (const { synset, above } of HEADINGS) {
    for (const key of [...above, ...(synset === null ? [] : [synset])]) assert.equal(net.synset(key)?.key, key);
  }
  const placed = HEADINGS.flatMap(({ coco }) => coco);
  assert.deepEqual(placed.toSorted(), COCO_NAMES.filter((name) => name !== 'person').toSorted());
});

test('words, offsets and chains are those of the data file', () => {
  // index.noun and data.noun of WordNet 3.1: dog n 7 … 02086723 …
  assert.deepEqual(
    net.senses('dog').map(({ synset }) => synset.offset),
    [2086723, 10133978, 10042764, 9905672, 7692347, 3907626, 2712903],
  );
  const dog = net.at(2086723);
  assert.deepEqual(dog.words, ['dog', 'domestic dog', 'Canis familiaris']);
  assert.equal(dog.field, 'noun.animal');
  assert.ok(net.chain(dog).some(({ key }) => key === 'animal.n.01'));
  assert.equal(net.chain(dog).at(-1)?.key, 'entity.n.01');
  for (const word of ["'hood", '0', 'zyrian', '1-dodecanol', 'Hot_Dog', 'hot  dog'])
    assert.ok(net.senses(word).length > 0, word);
  for (const word of ['', ' ', 'zzz', 'asdfghjkl', '~', '!', 'IMG_1234', '犬'])
    assert.deepEqual(net.senses(word), [], word);
  assert.equal(net.synset('dog.n.99'), undefined);
  assert.equal(net.synset('dog'), undefined);
});

test('a name is looked up where its meaning is clear, and else not', () => {
  const key = (name: string) => lookUp(net, name)?.key ?? null;
  assert.equal(key('poodle'), 'poodle.n.01');
  assert.equal(key('golden-retriever'), 'golden_retriever.n.01');
  assert.equal(key('dogs'), 'dog.n.01');
  assert.equal(key('sunflower'), 'sunflower.n.01');
  // In texts a tiger is a fierce person first, and a primate a clergyman; people stay people.
  const fields = ['tiger', 'primate', 'cardinal', 'coon', 'loon', 'monarch', 'seal', 'skunk', 'man', 'baby', 'soldier'];
  assert.deepEqual(
    fields.map((name) => lookUp(net, name)?.field),
    [...Array<string>(8).fill('noun.animal'), ...Array<string>(3).fill('noun.person')],
  );
  // No order among senses (kite: a bank check first), nothing to see (freedom), no noun at all.
  for (const name of ['kite', 'freedom', 'cluster 7', 'class_3', 'asdf']) assert.equal(key(name), null, name);
});

test('COCO’s meaning counts where a detector said it, or where the word has no other', () => {
  const of = (name: string, detected: boolean, synonyms: string[] = []) =>
    groundingOf(net, { name, synonyms, synset: null, detected })?.synset.key ?? null;
  assert.equal(of('mouse', true), 'mouse.n.04');
  assert.equal(of('mouse', false), 'mouse.n.01');
  assert.equal(of('kite', false), 'kite.n.03');
  assert.equal(of('Kunde', true, ['person']), 'person.n.01');
  assert.equal(groundingOf(net, { name: 'mouse', synonyms: [], synset: 'mouse.n.03', detected: true })?.by, 'said');
});
