/** `discover` as a whole: a classifier by its name, and what WordNet says that names are kinds of. */
import type { ItemKind } from '../../core/labels.ts';
import { hypernymsOf } from '../../corpus/hypernyms.ts';
import { imagenetNames } from '../../corpus/imagenet.ts';
import type { VotedNames } from '../../corpus/voted-names.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { VoteClasses } from '../../models/bundle.ts';
import { discoverIn } from './discover.ts';
import type { NamerOptions } from './namer.ts';
import type { DiscoverOptions, DiscoverResult } from './options.ts';
import { openVocabulary } from './vocabulary.ts';

export interface DiscoverRequest extends Pick<DiscoverOptions, 'k' | 'level' | 'method' | 'recluster'> {
  readonly items: ItemKind;
  readonly task: string;
  /** Name of an imported classifier that votes on names of new clusters. */
  readonly classifier?: string;
  /** `wordnet`, or a file with a name a line: words that are compared with the items of new clusters. */
  readonly vocabulary?: string;
  /** A model elsewhere that is shown contact sheets; nothing is sent without it. */
  readonly namer?: NamerOptions;
}

/** Clusters what is embedded; embedding comes before it (`embedWith`). */
export async function discoverWith(
  workspace: Workspace,
  request: DiscoverRequest,
  run: RunOptions,
): Promise<DiscoverResult> {
  const { classifier: named, vocabulary: words, namer, ...asked } = request;
  if (asked.level !== undefined && asked.k !== undefined) {
    throw new LabelsmithError('USAGE', 'Give --k or --level, not both.');
  }
  const { threads } = run;
  const vocabulary =
    words === undefined ? undefined : await openVocabulary(workspace, words, { ...run, items: request.items });
  const classifier = named === undefined ? undefined : await workspace.models.openImageClassifier(named, { threads });
  try {
    return await discoverIn(workspace, {
      ...run,
      ...asked,
      classifier,
      vocabulary,
      namer: namer && { ...namer, signal: run.signal },
      hypernymsOf: (name) => hypernymsOf(wordNet(), name),
      votedNames,
    });
  } finally {
    await classifier?.close();
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
