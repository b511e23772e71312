/** What `discover` found, in words. */

import { formatCount, plural } from '../../core/count-text.ts';
import type { ItemKind } from '../../core/labels.ts';
import { ENOUGH_ITEMS, lookOf } from '../../stages/discover/cluster-confidence.ts';
import type { Discovered } from '../../stages/discover/discover-with.ts';
import type { DiscoverResult } from '../../stages/discover/options.ts';
import type { Output } from '../output.ts';
import { formatPercent, oneLine, table } from '../words.ts';
import { nounOf } from './embedded.ts';

const CLUSTERS_SHOWN = 40;
const EVIDENCE_SHOWN = 2;

/** Why there are other clusters than before, and whether these will last. */
export function printHowClustered(output: Output, { because, pilot }: DiscoverResult): void {
  if (because !== null) output.summary(`Clustered again: ${because}.`);
  if (pilot) output.summary('These are clusters of a subset (--limit): when more is embedded they are made again.');
}

/** The largest clusters with what speaks for their names. */
export function printClusters(
  output: Output,
  { clusters, counts }: Pick<DiscoverResult, 'clusters' | 'counts'>,
  items: ItemKind,
  most = CLUSTERS_SHOWN,
): void {
  const rows = clusters.slice(0, most).map(({ name, size, chance, candidates }) => {
    const best = candidates.slice(0, EVIDENCE_SHOWN).map((candidate) => {
      const parts = candidate.evidence.map(({ source, count, of, kinds }) => {
        const such = kinds ? `: ${kinds.join(', ')}` : '';
        return `${source} ${count}/${of}${such}`;
      });
      return `${candidate.name} ${formatPercent(candidate.score, 0)} (${parts.join(', ')})`;
    });
    const looks = lookOf(chance, differing(counts));
    return [name, size, looks, best.join(' · ')];
  });
  for (const line of table([['class', items, 'looks', 'evidence for names'], ...rows])) output.summary(`  ${line}`);
  if (clusters.length > most) output.summary(`  and ${formatCount(clusters.length - most)} more`);
}

/** Items that say something: near copies say the same again. */
const differing = ({ items, copies }: DiscoverResult['counts']) => items - copies;

/** How many clusters somebody asked for, or which level of the tree. */
export interface Asked {
  readonly k?: number | 'auto';
  readonly level?: number;
}

/**
 * Classes of few images are put together, and nothing in a pile says that they are: `npm run bench -- piles` prints by how much too much
 * is claimed then (`bySize`). Nine of ten piles of such classes had fewer images a cluster than this.
 */
const SMALL_CLUSTERS = 30;
const LESS_OF_SMALL_CLASSES = '; fewer where classes have less than 8 images each, since clusters then hold several';

/** How far to trust the number of clusters and the clusters, and where else the tree can be cut. */
export function printHowSure(output: Output, result: DiscoverResult, items: ItemKind, asked: Asked): void {
  const { counts, range, clusters, likelyRight, judged } = result;
  if (likelyRight !== null) {
    const few = differing(counts);
    const less = few / counts.clusters < SMALL_CLUSTERS && few >= ENOUGH_ITEMS ? LESS_OF_SMALL_CLASSES : '';
    const which = counts.since > 0 ? `the ${plural(judged, nounOf(items))} that these clusters were made of` : items;
    output.summary(
      `About ${formatPercent(likelyRight, 0)} of ${which} are where they belong, as far as can be told${less}.`,
    );
    if (few < ENOUGH_ITEMS) {
      const noun = `${plural(few, nounOf(items))}${counts.copies > 0 ? ' that differ' : ''}`;
      output.summary(
        `${noun} ${few === 1 ? 'is' : 'are'} too few to tell one class from several: look at all of them.`,
      );
    }
  }
  if (counts.since > 0) {
    output.summary(
      `${plural(counts.since, nounOf(items))} came after these clusters were made and went to the nearest of them, whatever ${counts.since === 1 ? 'it shows' : 'they show'}: labelsmith discover --recluster looks for new classes.`,
    );
  } else if (range && range.least < range.most) {
    output.summary(
      `The pile has between ${range.least} and ${range.most} classes, as far as can be told; ${counts.clusters} ${counts.clusters === 1 ? 'is' : 'are'} shown.`,
    );
  }
  const mixed = clusters.filter(({ chance }) => lookOf(chance, differing(counts)) === 'mixed').length;
  if (mixed > 0)
    output.summary(`${plural(mixed, 'cluster looks', 'clusters look')} mixed: more than one thing in one.`);
  if (result.clustered) printStrays(output, result, nounOf(items));
  if (result.unheard > 0)
    output.summary(
      `People called ${plural(result.unheard, nounOf(items))} otherwise than these clusters do: labelsmith discover --recluster goes by that.`,
    );
  printLevels(output, result);
  if (result.emptied > 0) {
    const [has, them] = result.emptied === 1 ? ['has', 'it'] : ['have', 'them'];
    output.summary(
      `${plural(result.emptied, 'more cluster')} ${has} no ${items} left; the tree and its levels still count ${them}: labelsmith discover --recluster makes a tree without ${them}.`,
    );
  }
  printNumberAsked(output, result, asked);
}

/** Where else the tree can be cut. */
function printLevels(output: Output, { levels, levelsBefore, held, counts }: DiscoverResult): void {
  if (levels.length > 1) {
    const [which, stay] = held === 1 ? ['class', 'stays'] : [`${formatCount(held)} classes`, 'stay'];
    const people = held > 0 ? ` At every level the ${which} that people named or labelled ${stay}.` : '';
    output.summary(
      `Clusters at each level of the tree: ${levelsText(levels)} (labelsmith discover --level N).${people}`,
    );
  } else if (held > 0 && held >= counts.clusters) {
    output.summary(
      'Every cluster is a class that people named or labelled, so the tree has one level: labelsmith corpus split CLASS --into N parts one.',
    );
  }
  if (levelsBefore !== null) {
    output.summary(`Levels follow what people named or labelled since; before, they were ${levelsText(levelsBefore)}.`);
  }
}

/** `1: 2, 2: 15, 3: 29`. */
const levelsText = (levels: readonly number[]) => levels.map((k, i) => `${i + 1}: ${k}`).join(', ');

/** Says whose number of clusters it is, and why there is another one than was asked for. */
function printNumberAsked(
  output: Output,
  { counts, levels, held, emptied, asked: cutAt, askedBefore }: DiscoverResult,
  { k, level }: Asked,
): void {
  if (askedBefore !== null) {
    const before = `${plural(askedBefore, 'cluster')} ${askedBefore === 1 ? 'was' : 'were'} asked for before`;
    output.summary(
      cutAt === askedBefore
        ? `${before} (--k or --level), and that holds: labelsmith discover --k auto finds the number anew.`
        : `${before}; now the number was found anew. labelsmith discover --k ${askedBefore} makes that many again.`,
    );
  }
  if (level !== undefined && level > levels.length) {
    const there = levels.length === 1 ? 'one level' : `${levels.length} levels`;
    output.summary(`The tree has ${there}, so level ${level} is not there; the finest is shown.`);
  }
  const wanted = typeof k === 'number' ? k : cutAt === askedBefore ? askedBefore : null;
  if (wanted === null || wanted === counts.clusters + emptied) return;
  const asked = `${plural(wanted, 'cluster')} ${wanted === 1 ? 'was' : 'were'} asked for, and ${formatCount(counts.clusters)} ${counts.clusters === 1 ? 'is' : 'are'} shown`;
  const split = levels.length > 1 ? ' labelsmith corpus split CLASS --into N parts one.' : '';
  output.summary(
    held > 0
      ? `${asked}: what people named or labelled stays together and apart.${split}`
      : `${asked}: more cannot be told apart here, since images that stand apart from all others and near copies go where their nearest goes.`,
  );
}

export function printDiscovered(output: Output, result: DiscoverResult, items: ItemKind, asked: Asked): void {
  const { counts, clustered, clusters, retired, outliers, duplicates } = result;
  const what = nounOf(items);
  printHowClustered(output, result);
  const made = clustered ? 'Found' : 'Kept';
  const classes = clusters.length < counts.clusters ? ` (${plural(clusters.length, 'class', 'classes')} by now)` : '';
  output.summary(
    `${made} ${plural(counts.clusters, 'cluster')}${classes} in ${plural(counts.items, what)}${copiesText(counts)}; ${formatCount(counts.assigned)} labelled now.`,
  );
  if (counts.none > 0) output.summary(`${plural(counts.none, what)} belong to none of them.`);
  printClusters(output, result, items);
  printHowSure(output, result, items, asked);
  if (retired.length > 0) output.summary(`Empty classes of the clustering before are gone: ${retired.length}.`);
  if (outliers && outliers.count > 0) {
    output.summary(`${plural(outliers.count, what)} standing apart from all others, first ${outliers.first[0]?.path}.`);
  }
  if (duplicates && duplicates.count > 0) {
    const [first] = duplicates.first;
    output.summary(`${plural(duplicates.count, 'pair')} nearly alike, first ${first.a} and ${first.b}.`);
  }
}

/** Members of clusters with a name that did not stay there. */
function printStrays(output: Output, { strays: { count, first } }: DiscoverResult, noun: string): void {
  if (count === 0) return;
  const [lies, went] = count === 1 ? ['lies', 'it is'] : ['lie', 'they are'];
  output.summary(
    `${plural(count, noun)} of clusters that people named ${lies} with other things here, and there ${went} now, first ${oneLine(first[0] ?? '')}.`,
  );
}

/** `, 12 of them near copies, each with the one it is like`; nothing where there are none. */
export function copiesText({ copies }: DiscoverResult['counts']): string {
  if (copies === 0) return '';
  return copies === 1
    ? ' (1 of them a near copy of another, in the cluster of that one)'
    : ` (${formatCount(copies)} of them near copies of others, each in the cluster of the one it is like)`;
}

/** @param share from which words were given as names, where somebody set it */
export function printNamesByWords(output: Output, { words, clustered }: Discovered, share?: number): void {
  if (words === undefined) return;
  if (!clustered) {
    output.summary('Clusters that are there keep their names: --recluster compares words with new ones.');
    return;
  }
  if (share !== undefined) {
    output.warn(
      `Warning: words with a share of ${share} and more were given as names because --word-share says so. How often they are right: look at some, with labelsmith corpus names.`,
    );
  } else if (words.names === 'candidates') {
    output.summary(
      `Words are candidates for names, and none was given by words alone: how often they are right with ${words.model} was measured on nothing. labelsmith corpus names writes them down to choose from; --word-share .65 --recluster gives those with that share.`,
    );
  }
}

/** How many images were read for words that are written on them. */
export function printWritten(output: Output, { written, clustered }: Discovered): void {
  if (written === undefined) return;
  if (!clustered) {
    output.summary('Clusters that are there keep their names: --recluster reads the words on images of new ones.');
    return;
  }
  const { images, withWords, undecodable } = written;
  const not = undecodable > 0 ? `; ${formatCount(undecodable)} could not be decoded` : '';
  output.summary(`Read what is written on ${plural(images, 'image')}: words on ${formatCount(withWords)}${not}.`);
}

const ANSWER_SHOWN = 80;

/** @param answers of the namer for clusters, in which there was no name that can be used */
export function printNoNames(output: Output, model: string | undefined, answers: readonly string[]): void {
  if (model === undefined || answers.length === 0) return;
  const [first = ''] = answers.map((answer) => oneLine(answer).trim().slice(0, ANSWER_SHOWN));
  const such = first === '' ? 'the first was empty' : `the first begins with "${first}"`;
  output.warn(
    `Warning: ${plural(answers.length, 'answer')} of ${model} had no name that can be used, and the cluster gets none by it: ${such}. It has to take pictures and to answer in JSON.`,
  );
}
