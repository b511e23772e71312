/** An audit from the record to a person and back: the sample drawn, pictures made, answers taken in, what they say. */
import type { Box } from '../core/boxes.ts';
import { toClassName } from '../core/class-name.ts';
import type { ItemId } from '../core/ids.ts';
import { NONE_OF_THESE } from '../core/labels.ts';
import { rehearse } from '../core/rehearsal.ts';
import { CorpusIndex } from '../corpus/state.ts';
import { LabelsmithError } from '../errors.ts';
import { checkOutput } from '../files/output.ts';
import { placesToKeepOut } from '../files/place.ts';
import { cropRegions, thumbnailOf } from '../images/crops.ts';
import { originalBytes, readImageIfThere } from '../jobs/image-reader.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { answerAudit } from '../stages/audit/answers.ts';
import { type AuditOptions, drawAudit, sampleAudit } from '../stages/audit/audit.ts';
import { type AuditToday, auditToday } from '../stages/audit/last.ts';
import type { AuditAnswer, AuditItem, AuditRecord, Store } from '../store/store.ts';
import { readSheet, type SheetItem, type SheetKind, writeSheet } from './audit-sheet.ts';

/** How much around a region is shown, as a share of its box. */
const MARGIN = 0.15;
/** Longest side of a picture of a whole image, in pixels: enough to tell what it is. */
const LONGEST = 768;

export interface AuditSheetOptions extends Omit<AuditOptions, 'atMs'> {
  readonly kind: SheetKind;
  readonly replace: boolean;
  readonly nowMs: number;
}

/**
 * Draws an audit and writes it for a person. The sample is recorded before the output appears; a run that was killed in
 * between leaves a recorded sample that nobody saw, and the same command writes that one.
 */
export async function drawAuditSheet(
  workspace: Pick<Workspace, 'dir' | 'store'>,
  out: string,
  options: AuditSheetOptions,
): Promise<{ readonly audit: AuditRecord; readonly out: string; readonly withoutPicture: number }> {
  const { store } = workspace;
  const { kind, replace, nowMs, ...drawn } = options;
  const read = originalBytes(workspace);
  const protectedPaths = await placesToKeepOut(workspace, { insideSources: false });
  let audit: AuditRecord | undefined;
  const written = await writeSheet(out, {
    kind,
    replace,
    protectedPaths,
    async draw() {
      audit = await drawAudit(store, { ...drawn, atMs: nowMs });
      return { auditId: audit.id, items: await sheetItems(store, await store.auditItems(audit.id)) };
    },
    async picture({ imageId, box }) {
      const bytes = await readImageIfThere(store, imageId, read);
      if (!bytes) return null;
      if (box) return (await cropRegions(bytes, [box], { margin: MARGIN }))[0] ?? null;
      return (await thumbnailOf(bytes, { longest: LONGEST, format: 'jpeg', quality: 88 })).bytes;
    },
  });
  return { audit: audit as AuditRecord, ...written };
}

export interface AuditPlan {
  /** Labels that the accuracy would be of. */
  readonly population: number;
  /** Labels that would be asked about, and in how many images. */
  readonly items: number;
  readonly images: number;
  readonly classes: readonly string[];
}

/** What `drawAuditSheet` would ask and whether it may write there; writes nothing. */
export async function planAuditSheet(
  workspace: Pick<Workspace, 'dir' | 'store'>,
  out: string,
  { replace, kind: _, nowMs: __, ...drawn }: AuditSheetOptions,
): Promise<AuditPlan> {
  const protectedPaths = await placesToKeepOut(workspace, { insideSources: false });
  await checkOutput(out, { kind: 'folder', what: 'audit', replace, protectedPaths });
  const { items, design } = await sampleAudit(workspace.store, drawn);
  return {
    population: design.population,
    items: items.length,
    images: new Set(items.map(({ imageId }) => imageId)).size,
    classes: [...new Set(items.map(({ className }) => className))].sort(),
  };
}

async function sheetItems(store: Store, items: readonly AuditItem[]): Promise<SheetItem[]> {
  const imageIds = [...new Set(items.map(({ imageId }) => imageId))];
  const paths = await store.pathsOfImages(imageIds);
  const boxes = new Map<ItemId, Box>(
    [...(await store.regionsOf(imageIds)).values()].flat().map(({ id, box }) => [id, box]),
  );
  return items.map(({ itemId, imageId, className }) => {
    const file = paths.get(imageId)?.[0]?.path ?? imageId;
    return { itemId, imageId, className, file, box: boxes.get(itemId) ?? null };
  });
}

export interface TakenAnswers {
  readonly result: AuditToday;
  readonly unanswered: number;
  readonly unknown: readonly string[];
  /** Names that were no class before. */
  readonly newClasses: readonly string[];
}

/** Reads a sheet back: answers into the record and the labels, and what they say; with `dryRun` only the latter. */
export async function takeAnswers(
  store: Store,
  { task, path, dryRun = false }: { readonly task: string; readonly path: string; readonly dryRun?: boolean },
): Promise<TakenAnswers> {
  if (dryRun) return rehearse(store, (within: Store) => takeAnswers(within, { task, path }));
  const sheet = await readSheet(path);
  const audit = (await store.audits()).find(({ id }) => id === sheet.auditId);
  if (!audit) {
    throw new LabelsmithError('NOT_FOUND', `This workspace has no audit ${sheet.auditId}.`, {
      hint: 'Was it drawn in another workspace? Name that with --workspace.',
    });
  }
  if (audit.task !== task) {
    throw new LabelsmithError('USAGE', `${path} is of the task "${audit.task}", not of "${task}".`, {
      hint: `labelsmith audit ${audit.task} --read ${path}`,
    });
  }
  const index = new CorpusIndex(await store.corpus());
  const newClasses = new Set<string>();
  const today = (name: string) => index.find(name)?.name ?? name;
  const answers = sheet.answers.map((answer): AuditAnswer => {
    const { className, trueClass } = answer;
    if (trueClass === null || trueClass === NONE_OF_THESE) return answer;
    // Another word for the same class is the same answer.
    if (today(trueClass) === today(className)) return { ...answer, right: true, trueClass: className };
    const plain = toClassName(trueClass);
    const here = index.find(plain)?.name;
    if (here === undefined) newClasses.add(plain);
    return { ...answer, trueClass: here ?? plain };
  });
  await answerAudit(store, audit, answers);
  const result = await auditToday(store, audit);
  return { result, unanswered: sheet.unanswered, unknown: sheet.unknown, newClasses: [...newClasses].sort() };
}
