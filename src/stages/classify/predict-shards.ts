/** The files of a source in runs of a fixed size, each with a name that says which files it has: what is predicted as one. */
import { resolve } from 'node:path';
import { chunksOfPages } from '../../core/chunks.ts';
import { sha256Hex } from '../../core/ids.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Source, SourceItem } from '../../sources/source.ts';
import { asListed, type Listed } from '../listed.ts';
import type { Classifier } from './classifier-file.ts';
import { type FilePrediction, fileBelow, filePrediction, predictFiles } from './predict.ts';

/** Files of a shard: some seconds of work, so that parts have something to share in a small folder too. */
export const PREDICT_SHARD_SIZE = 256;

export interface FileToPredict {
  /** As it is named in what comes of it. */
  readonly file: string;
  readonly item: Listed;
}

/** As JSON: for processes that did not list the source. */
export interface PredictShard {
  /** Files of the source before it. */
  readonly from: number;
  readonly files: readonly FileToPredict[];
}

/** The same with the files that this process listed. */
export interface ListedShard extends PredictShard {
  readonly items: readonly SourceItem[];
}

/** Resident: one shard. */
export async function* shardsOfSource(
  source: Pick<Source, 'spec' | 'list'>,
  { shardSize = PREDICT_SHARD_SIZE, limit }: Pick<RunOptions, 'shardSize' | 'limit'>,
): AsyncGenerator<ListedShard> {
  const root = resolve(source.spec);
  let from = 0;
  for await (const items of chunksOfPages(oneByOne(source.list()), shardSize, limit)) {
    const files = items.map((item) => {
      const path = item.kind === 'entry' ? item.entry.path : item.problem.path;
      return { file: fileBelow(root, path), item: asListed(item) };
    });
    yield { from, files, items };
    from += items.length;
  }
}

/** In the order of the source, as text; other files, or files that changed, have another name. */
export function shardName({ from, files }: PredictShard): string {
  return `${String(from).padStart(12, '0')}-${sha256Hex(JSON.stringify(files)).slice(0, 32)}`;
}

/** What a classifier says of each file of a shard; fewer where `signal` aborts. */
export async function predictShard(
  classifier: Pick<Classifier, 'classify' | 'info' | 'capacity'>,
  { files, items }: ListedShard,
  { threshold, signal }: { readonly threshold: number } & Pick<RunOptions, 'signal'>,
): Promise<FilePrediction[]> {
  const found: FilePrediction[] = [];
  const list = async function* () {
    yield* items;
  };
  for await (const prediction of predictFiles(classifier, { list }, { signal })) {
    found.push(filePrediction(files[found.length].file, prediction, threshold));
  }
  return found;
}

async function* oneByOne<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const item of items) yield [item];
}
