/** `discover` as a whole: a classifier by its name, and what WordNet says that names are kinds of. */
import type { ItemKind } from '../../core/labels.ts';
import { isNoun } from '../../corpus/grounding.ts';
import { hypernymsOf } from '../../corpus/hypernyms.ts';
import { imagenetNames } from '../../corpus/imagenet.ts';
import type { VotedNames } from '../../corpus/voted-names.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { VoteClasses } from '../../models/bundle.ts';
import type { TextReader } from '../../models/text-reader.ts';
import { discoverIn } from './discover.ts';
import { MAX_LEVELS } from './levels.ts';
import type { ProposedClass } from './namer.ts';
import { forgetAnswers, type NamerOptions } from './namer-request.ts';
import { proposeClasses } from './namer-sheets.ts';
import type { DiscoverOptions, DiscoverResult } from './options.ts';
import { writeProposals } from './proposals.ts';
import { openVocabulary } from './vocabulary.ts';
import { type WrittenCounts, wordReader } from './written-words.ts';

export interface DiscoverRequest
  extends Pick<DiscoverOptions, 'k' | 'level' | 'finestOtherwise' | 'method' | 'recluster' | 'onAgain'> {
  readonly items: ItemKind;
  readonly task: string;
  /** Name of an imported classifier that votes on names of new clusters. */
  readonly classifier?: string;
  /** Reads the words on images that are typical of new clusters. Default false: it costs some 0.3 s of a core an image. */
  readonly readWords?: boolean;
  /** `wordnet`, or a file with a name a line: words that are compared with the items of new clusters. */
  readonly vocabulary?: string;
  /** The share from which a word is given as a name, 0 to 1. Default: what was measured for the model; else none is given. */
  readonly wordShare?: number;
  /** A model elsewhere that is shown contact sheets; nothing is sent without it. */
  readonly namer?: NamerOptions;
  /** A file that gets the classes that the namer says are in the pile. */
  readonly propose?: string;
}

export interface Discovered extends DiscoverResult {
  /**
   * Names of new clusters by words: the model, and whether words that reach their share are given as names or are candidates
   * alone, since nobody measured with this model how often they are right; `kept` where no cluster was made, and so none was
   * compared with words. Left out where no vocabulary was named.
   */
  readonly words?: { readonly model: string; readonly names: 'given' | 'candidates' | 'kept' };
  /** What was read of words on images; left out where they were not asked for. All 0 where no cluster was made. */
  readonly written?: WrittenCounts & { readonly model: string };
  /** What the namer proposed, and the file that it was written to; left out where it was not asked. */
  readonly proposed?: { readonly file: string; readonly classes: readonly ProposedClass[] };
}

/** Refuses what does not go together, which can be told before anything is embedded. */
export function checkDiscover(asked: Omit<DiscoverRequest, 'items' | 'task'> & { readonly items?: ItemKind }): void {
  const { k, level, namer, propose, vocabulary, wordShare, readWords, items } = asked;
  if (readWords && items === 'regions') {
    throw new LabelsmithError(
      'USAGE',
      '--read-words reads whole images, and --items regions names kinds of their parts.',
    );
  }
  if (propose !== undefined && namer === undefined) {
    throw new LabelsmithError('USAGE', '--propose needs --namer: a model that is asked which classes are in the pile.');
  }
  if (wordShare !== undefined && vocabulary === undefined) {
    throw new LabelsmithError('USAGE', '--word-share needs --vocabulary: the words that it is a share of.');
  }
  if (level !== undefined && k !== undefined) throw new LabelsmithError('USAGE', 'Give --k or --level, not both.');
  if (level !== undefined && level > MAX_LEVELS) {
    throw new LabelsmithError('USAGE', `There is no level ${level}: a tree has ${MAX_LEVELS} at most.`, {
      hint: 'Level 1 is the coarsest; discover says how many clusters each has. --k N asks for a number.',
    });
  }
}

/** Clusters what is embedded; embedding comes before it (`embedWith`). */
export async function discoverWith(
  workspace: Workspace,
  request: DiscoverRequest,
  run: RunOptions,
): Promise<Discovered> {
  const {
    classifier: named,
    readWords,
    vocabulary: words,
    wordShare: share,
    namer: given,
    propose,
    ...asked
  } = request;
  checkDiscover(request);
  const { blobs } = workspace;
  const namer = given && { ...given, signal: run.signal, answers: blobs };
  const { threads } = run;
  const vocabulary =
    words === undefined ? undefined : await openVocabulary(workspace, words, { ...run, share, items: request.items });
  const classifier = named === undefined ? undefined : await workspace.models.openImageClassifier(named, { threads });
  let texts: TextReader | undefined;
  try {
    if (readWords) texts = await workspace.models.openTextReader(undefined, { threads });
    const reader = texts && wordReader(texts);
    const result = await discoverIn(workspace, {
      ...run,
      ...asked,
      classifier,
      reader,
      vocabulary,
      namer,
      hypernymsOf: (name) => hypernymsOf(wordNet(), name),
      isWord: (term) => isNoun(wordNet(), term),
      votedNames,
    });
    const { model, rule } = vocabulary ?? {};
    const names = !result.clustered ? 'kept' : rule ? 'given' : 'candidates';
    const told = model === undefined ? {} : { words: { model, names } as const };
    const written = texts && reader ? { written: { model: texts.id, ...reader.counts() } } : {};
    const found = { ...result, ...told, ...written };
    if (namer === undefined || run.signal?.aborted) return found;
    const classes = propose === undefined ? undefined : await proposeClasses(workspace, request.task, namer);
    await forgetAnswers(blobs);
    if (propose === undefined || classes === undefined) return found;
    return { ...found, proposed: { file: await writeProposals(workspace, propose, { classes, namer }), classes } };
  } finally {
    await classifier?.close();
    await texts?.close();
  }
}

function votedNames(classes: VoteClasses): VotedNames {
  switch (classes) {
    case 'imagenet-1000':
      return imagenetNames(wordNet());
    default:
      return classes satisfies never;
  }
}
