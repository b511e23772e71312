/** What the record and the files say of the members of clusters. Reads in pages; of the files only those of exemplars. */
import { chunks } from '../../core/chunks.ts';
import { type ItemId, isImageId } from '../../core/ids.ts';
import { currentLabels, type ItemKind, type Label } from '../../core/labels.ts';
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

/** A vote of less says nothing. */
const MIN_VOTE = 0.2;

/** @param inspected items whose files are opened for keywords and the classifier's votes. */
export async function gatherEvidence(
  { store, readBytes }: EvidenceEffects,
  ids: readonly ItemId[],
  {
    task,
    items,
    inspected,
    classifier,
  }: {
    readonly task: string;
    readonly items: ItemKind;
    readonly inspected: ReadonlySet<ItemId>;
    readonly classifier?: Voter;
  },
): Promise<TermTable[]> {
  const labels: (readonly string[])[] = [];
  const objects: (readonly string[])[] = [];
  const paths: (readonly string[] | undefined)[] = [];
  const keywords: (readonly string[] | undefined)[] = [];
  const votes: (readonly string[] | undefined)[] = [];
  for (const page of chunks(ids, PAGE)) {
    const said = await store.labelsOf(page, task);
    const seen = await store.labelsOf(page, OBJECTS);
    const where = items === 'images' ? await store.pathsOfImages(page.filter(isImageId)) : undefined;
    for (const id of page) {
      const others = (said.get(id) ?? []).filter(({ origin }) => origin !== 'cluster');
      labels.push(namesOf(others, 'single'));
      objects.push(namesOf(seen.get(id) ?? [], 'multi'));
      const image = isImageId(id) ? id : null;
      paths.push(
        (image ? where?.get(image) : undefined)?.flatMap(({ path, sourceRoot }) => pathTerms(path, sourceRoot)),
      );
      const opened = image !== null && inspected.has(image);
      // A file that is gone since it was embedded is no evidence, and no reason to stop.
      const bytes = opened ? await readImageIfThere(store, image, readBytes) : null;
      keywords.push(bytes ? await keywordsIn(bytes) : undefined);
      votes.push(bytes && classifier ? await voteOn(bytes, classifier) : undefined);
    }
  }
  const tables: TermTable[] = [
    { source: 'label', terms: labels },
    { source: 'keyword', terms: keywords },
    { source: 'path', terms: paths },
    { source: 'classifier', terms: votes },
  ];
  // The detector's own task is not evidence for itself.
  return task === OBJECTS ? tables : [...tables, { source: 'detector', terms: objects }];
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
