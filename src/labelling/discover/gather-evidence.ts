/** What the record and the files say of the members of clusters. Reads in pages; of the files only those of exemplars. */
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, type ItemKind, type Label } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { type ReadPath, readImage } from '../../pipeline/originals.ts';
import type { Store } from '../../store/store.ts';
import type { TermTable } from './evidence.ts';
import { keywordsIn } from './keywords.ts';
import { pathTerms } from './words.ts';

const PAGE = 1000;
/** The task that detectors fill. */
const OBJECTS = 'objects';

export interface EvidenceEffects {
  readonly store: Pick<Store, 'labelsOf' | 'pathsOfImages'>;
  readonly readBytes: ReadPath;
}

/** @param inspected items whose files are opened for keywords. */
export async function gatherEvidence(
  { store, readBytes }: EvidenceEffects,
  ids: readonly ItemId[],
  {
    task,
    items,
    inspected,
  }: { readonly task: string; readonly items: ItemKind; readonly inspected: ReadonlySet<ItemId> },
): Promise<TermTable[]> {
  const labels: (readonly string[])[] = [];
  const objects: (readonly string[])[] = [];
  const paths: (readonly string[] | undefined)[] = [];
  const keywords: (readonly string[] | undefined)[] = [];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const said = await store.labelsOf(page, task);
    const seen = await store.labelsOf(page, OBJECTS);
    const where = items === 'images' ? await store.pathsOfImages(page) : undefined;
    for (const id of page) {
      const others = (said.get(id) ?? []).filter(({ origin }) => origin !== 'cluster');
      labels.push(namesOf(others, 'single'));
      objects.push(namesOf(seen.get(id) ?? [], 'multi'));
      paths.push(where?.get(id)?.flatMap(({ path, sourceRoot }) => pathTerms(path, sourceRoot)));
      const opened = items === 'images' && inspected.has(id);
      keywords.push(opened ? await keywordsOf(store, id, readBytes) : undefined);
    }
  }
  const tables: TermTable[] = [
    { source: 'label', terms: labels },
    { source: 'keyword', terms: keywords },
    { source: 'path', terms: paths },
  ];
  // The detector's own task is not evidence for itself.
  return task === OBJECTS ? tables : [...tables, { source: 'detector', terms: objects }];
}

function namesOf(labels: readonly Label[], rule: 'single' | 'multi'): string[] {
  return currentLabels(labels, rule).map(({ className }) => className);
}

async function keywordsOf(
  store: Pick<Store, 'pathsOfImages'>,
  id: ItemId,
  readBytes: ReadPath,
): Promise<string[] | undefined> {
  try {
    return keywordsIn(await readImage(store as Store, id, readBytes));
  } catch (error) {
    // A file that is gone since it was embedded is no evidence, and no reason to stop.
    if (error instanceof LabelsmithError) return undefined;
    throw error;
  }
}
