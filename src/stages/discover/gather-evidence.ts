/** What the record and the files say of the members of clusters. Reads in pages; of the files only those of exemplars. */
import { chunks } from '../../core/chunks.ts';
import { type ImageId, type ItemId, isImageId } from '../../core/ids.ts';
import { currentLabels, type ItemKind, type Label } from '../../core/labels.ts';
import { inLanes } from '../../core/lanes.ts';
import { LabelsmithError } from '../../errors.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { type ReadPath, readImageIfThere } from '../../jobs/image-reader.ts';
import { argMax } from '../../math/calibration.ts';
import type { ImageClassifier } from '../../models/image-classifier.ts';
import type { Store } from '../../store/store.ts';
import { isUnnamed, type TermTable } from './evidence.ts';
import { keywordsIn } from './keywords.ts';
import { pathTerms } from './words.ts';

const PAGE = 1000;
/** The task that detectors fill. */
const OBJECTS = 'objects';

export interface EvidenceEffects {
  readonly store: Pick<Store, 'labelsOf' | 'pathsOfImages'>;
  readonly readBytes: ReadPath;
}

/** An image classifier that votes on what is in images. */
export type Voter = Pick<ImageClassifier, 'classNames' | 'input' | 'classify'>;

/** What reads the words that are written on things; undefined where the picture cannot be decoded. */
export interface WordReader {
  /** Pictures that are worth having under way at once. */
  readonly capacity: number;
  read(id: ItemId, bytes: Uint8Array): Promise<readonly string[] | undefined>;
}

/** A vote of less says nothing. */
const MIN_VOTE = 0.2;

/** @param inspected items whose files are opened for keywords, the classifier's votes and the words on them. */
export async function gatherEvidence(
  { store, readBytes }: EvidenceEffects,
  ids: readonly ItemId[],
  {
    task,
    items,
    inspected,
    classifier,
    reader,
    isWord,
  }: {
    readonly task: string;
    readonly items: ItemKind;
    readonly inspected: ReadonlySet<ItemId>;
    readonly classifier?: Voter;
    readonly reader?: WordReader;
    readonly isWord?: (term: string) => boolean;
  },
): Promise<TermTable[]> {
  const labels: (readonly string[])[] = [];
  const objects: (readonly string[])[] = [];
  const paths: (readonly string[] | undefined)[] = [];
  const opened: Opened[] = [];
  const [ofFolders, ofFiles] = [new Set<string>(), new Set<string>()];
  for (const page of chunks(ids, PAGE)) {
    const said = await store.labelsOf(page, task);
    const seen = await store.labelsOf(page, OBJECTS);
    const where = items === 'images' ? await store.pathsOfImages(page.filter(isImageId)) : undefined;
    for (const id of page) {
      const others = (said.get(id) ?? []).filter(({ origin }) => origin !== 'cluster');
      labels.push(namesOf(others, 'single'));
      objects.push(namesOf(seen.get(id) ?? [], 'multi'));
      const apart = (isImageId(id) ? where?.get(id) : undefined)?.map((at) => pathTerms(at.path, at.sourceRoot));
      for (const { folders, file } of apart ?? []) {
        for (const term of folders) ofFolders.add(term);
        for (const term of file) ofFiles.add(term);
      }
      paths.push(apart?.flatMap(({ folders, file }) => [...folders, ...file]));
    }
    const inFiles: Opened[] = page.map(() => ({}));
    const toOpen = [...page.entries()].flatMap(([place, id]) =>
      isImageId(id) && inspected.has(id) ? [[place, id] as const] : [],
    );
    await inLanes(toOpen, reader?.capacity ?? 1, async ([place, id]) => {
      // A file that is gone since it was embedded is no evidence, and no reason to stop.
      const bytes = await readImageIfThere(store, id, readBytes);
      if (bytes) inFiles[place] = await evidenceIn(id, bytes, { classifier, reader });
    });
    opened.push(...inFiles);
  }
  const vague = isWord ? new Set([...ofFiles].filter((term) => !ofFolders.has(term) && !isWord(term))) : undefined;
  const tables: TermTable[] = [
    { source: 'label', terms: labels },
    { source: 'keyword', terms: opened.map(({ keywords }) => keywords) },
    { source: 'path', terms: paths, vague },
    { source: 'classifier', terms: opened.map(({ votes }) => votes) },
    { source: 'written', terms: opened.map(({ written }) => written) },
  ];
  // The detector's own task is not evidence for itself.
  return task === OBJECTS ? tables : [...tables, { source: 'detector', terms: objects }];
}

/** What a file has, of each source; undefined where it was not looked for. */
interface Opened {
  readonly keywords?: readonly string[];
  readonly votes?: readonly string[];
  readonly written?: readonly string[];
}

async function evidenceIn(
  id: ImageId,
  bytes: Uint8Array,
  { classifier, reader }: { readonly classifier?: Voter; readonly reader?: WordReader },
): Promise<Opened> {
  return {
    keywords: await keywordsIn(bytes),
    votes: classifier && (await voteOn(bytes, classifier)),
    written: await reader?.read(id, bytes),
  };
}

function namesOf(labels: readonly Label[], rule: 'single' | 'multi'): string[] {
  // The number of an earlier cluster, which an import may have brought back, says nothing.
  return currentLabels(labels, rule).flatMap(({ className }) => (isUnnamed(className) ? [] : [className]));
}

/** The classifier's best class, if it is any; nothing where the picture cannot be decoded. */
async function voteOn(bytes: Uint8Array, classifier: Voter): Promise<string[] | undefined> {
  let pixels: Uint8Array;
  try {
    pixels = await pixelsFor(bytes, classifier.input);
  } catch (error) {
    if (error instanceof LabelsmithError) return undefined;
    throw error;
  }
  const probabilities = await classifier.classify(pixels);
  const best = argMax(probabilities);
  return probabilities[best] >= MIN_VOTE ? [termOf(classifier.classNames[best])] : [];
}

/** ImageNet's lists say `n02123045 tabby, tabby cat`: an offset of WordNet, and synonyms of which the first is the name. */
function termOf(className: string): string {
  const [name = className] = className.replace(/^n\d{8}[\s,:]+/, '').split(',');
  return name.replaceAll('_', ' ').trim();
}
