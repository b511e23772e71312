/** What `discover` says of how far to trust it, and whose number of clusters it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiscoverResult } from '../../stages/discover/options.ts';
import { createOutput } from '../output.ts';
import { type Asked, printDiscovered } from './discovered.ts';

const cluster = (name: string, size: number, chance: number) => ({
  name,
  size,
  chance,
  candidates: [],
  exemplars: [],
});

type Differences = Partial<Omit<DiscoverResult, 'counts'>> & { readonly counts?: Partial<DiscoverResult['counts']> };

function told({ counts, ...more }: Differences, asked: Asked = {}): string {
  const result: DiscoverResult = {
    interrupted: false,
    clustered: true,
    because: null,
    pilot: false,
    method: 'graph',
    counts: { items: 100, clusters: 2, assigned: 100, none: 0, copies: 0, since: 0, ...counts },
    clusters: [cluster('a', 60, 0.9), cluster('b', 40, 0.2)],
    likelyRight: 0.8,
    judged: 100,
    levels: [2, 5],
    levelsBefore: null,
    emptied: 0,
    strays: { count: 0, first: [] },
    unheard: 0,
    held: 0,
    asked: 'auto',
    askedBefore: null,
    retired: [],
    ...more,
  };
  let text = '';
  const sink = { write: (part: string) => (text += part) };
  printDiscovered(createOutput({ json: false, quiet: false }, sink, sink), result, 'images', asked);
  return text;
}

test('near copies are counted apart, and what differs decides whether images are too few', () => {
  assert.match(told({}), /Found 2 clusters in 100 images; 100 labelled now\./);
  assert.doesNotMatch(told({}), /too few/);
  const copies = told({ counts: { copies: 95 } });
  assert.match(
    copies,
    /in 100 images \(95 of them near copies of others, each in the cluster of the one it is like\);/,
  );
  assert.match(copies, /\n5 images that differ are too few to tell one class from several/);
  assert.match(copies, /b +40 +unsure/);
  assert.match(told({ counts: { copies: 1 } }), /\(1 of them a near copy of another, in the cluster of that one\)/);
});

test('that less is right where classes are small is said where clusters are small enough for it, and images are not too few', () => {
  const said = (items: number, clusters: number) => told({ counts: { items, clusters } });
  assert.match(said(300, 11), /About 80 % of images .* told; fewer where classes have less than 8 images each, since/);
  assert.match(said(300, 10), /About 80 % of images are where they belong, as far as can be told\.\n/);
  const later = told({ counts: { items: 130, since: 30 } });
  assert.match(later, /About 80 % of the 100 images that these clusters were made of are where they belong/);
  assert.match(
    later,
    /\n30 images came after these clusters were made and went to the nearest of them, whatever they show:/,
  );
  assert.match(said(20, 2), /as far as can be told\.\n20 images are too few/);
});

test('levels are told with the classes of people that are at each, and that there is one where all are', () => {
  assert.match(told({}), /Clusters at each level of the tree: 1: 2, 2: 5 \(labelsmith discover --level N\)\.\n/);
  assert.match(told({ held: 1 }), /At every level the class that people named or labelled stays\./);
  assert.match(told({ levelsBefore: [3, 9] }), /named or labelled since; before, they were 1: 3, 2: 9\.\n/);
  const all = told({ held: 2, levels: [2] });
  assert.match(all, /Every cluster is a class that people named or labelled, so the tree has one level:/);
  assert.doesNotMatch(told({ levels: [2] }), /level/);
});

test('clusters that were forgotten are told apart from those that are left, and are no fewer than were asked for', () => {
  const one = told({ emptied: 1, asked: 3 }, { k: 3 });
  assert.match(one, /Found 2 clusters in/);
  assert.match(one, /\n1 more cluster has no images left; the tree and its levels still count it: .* without it\.\n/);
  assert.doesNotMatch(one, /were asked for/);
  assert.match(told({ asked: 3 }, { k: 3 }), /3 clusters were asked for, and 2 are shown/);
});

test('a number of before is told with what finds another; one that is not met with why', () => {
  const kept = told({ asked: 2, askedBefore: 2 });
  assert.match(kept, /\n2 clusters were asked for before .* holds: labelsmith discover --k auto finds the number anew/);
  const anew = told({ asked: 'auto', askedBefore: 9 }, {});
  assert.match(anew, /\n9 clusters were asked for before; now the number was found anew\. labelsmith discover --k 9 /);
  assert.match(
    told({ asked: 9, held: 2 }, { k: 9 }),
    /\n9 clusters were asked for, and 2 are shown: what people named/,
  );
  assert.match(told({ asked: 9 }, { k: 9 }), /\n9 clusters were asked for, and 2 are shown: more cannot be told apart/);
  assert.doesNotMatch(told({ asked: 2 }, { k: 2 }), /asked for/);
  assert.match(told({}, { level: 3 }), /The tree has 2 levels, so level 3 is not there; the finest is shown\./);
});

test('members of named clusters that went with other things are counted, where clusters were made', () => {
  const strays = { count: 2, first: ['/photos/1.jpg', '/photos/2.jpg'] };
  assert.match(
    told({ strays }),
    /\n2 images of clusters that people named lie with other things .* first \/photos\/1\.jpg\./,
  );
  assert.doesNotMatch(told({ strays, clustered: false }), /other things/);
});

test('what people said and clusters that are kept do not go by is told, with what does', () => {
  assert.match(told({ unheard: 2 }), /\nPeople called 2 images otherwise .* discover --recluster goes by that\./);
  assert.doesNotMatch(told({}), /People called/);
});
