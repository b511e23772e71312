/** `teach select` as a whole: what to ask is chosen, and written as a sheet or as a folder to sort. */
import { checkOutput } from '../files/output.ts';
import { placesToKeepOut } from '../files/place.ts';
import { originalBytes, readImageIfThere } from '../jobs/image-reader.ts';
import type { RunOptions } from '../jobs/run.ts';
import type { Workspace } from '../jobs/workspace.ts';
import type { EmbedResult } from '../stages/embed/embed.ts';
import { embedWith } from '../stages/embed/embed-with.ts';
import { singleTask } from '../stages/teach/items.ts';
import { type Question, type SelectResult, selectIn } from '../stages/teach/select-stage.ts';
import { type QuestionFile, questionsOutput, writeQuestionFolder, writeQuestionSheet } from './questions.ts';

export interface AskRequest {
  readonly task: string;
  /** What a new task is about. One that is there has to be about the same; without it, the task has to be there. */
  readonly items?: 'images' | 'regions';
  /** Items to label next. */
  readonly count: number;
  /** Items to draw at random for the audit set. */
  readonly audit: number;
  /** First takes back audit items that nobody has labelled. */
  readonly dropAudit: boolean;
  /** `FILE.csv`, or a folder. */
  readonly out: string;
  readonly replace: boolean;
}

export interface Asked {
  readonly items: 'images' | 'regions';
  readonly counts: SelectResult['counts'];
  /** Audit items taken back. */
  readonly dropped: number;
  /** Absolute. */
  readonly out: string;
  /** Images that could not be read, and are not among the questions of a folder. */
  readonly unreadable: number;
  readonly questions: readonly {
    readonly file: string;
    readonly why: Question['why'];
    readonly guess: string | null;
  }[];
}

/** Null where it was interrupted before anything was chosen. */
export async function ask(
  workspace: Workspace,
  request: AskRequest,
  run: RunOptions & { readonly onEmbedded?: (result: EmbedResult, items: 'images' | 'regions') => void },
): Promise<Asked | null> {
  const { store } = workspace;
  const { task, count, audit, dropAudit, out, replace } = request;
  const asSheet = out.toLowerCase().endsWith('.csv');
  const place = { replace, protectedPaths: await placesToKeepOut(workspace, { insideSources: asSheet }) };
  // Before the audit set is drawn: what is drawn and not written would never be asked.
  await checkOutput(out, questionsOutput(asSheet ? 'file' : 'folder', place));
  if (request.items !== undefined) await store.ensureTask({ name: task, rule: 'single', items: request.items });
  const { items } = await singleTask(store, task);
  const embedded = await embedWith(workspace, { items }, run);
  if (embedded.interrupted) return null;
  run.onEmbedded?.(embedded, items);
  const dropped = dropAudit ? await store.releaseUnlabelled(task) : 0;
  const { seed, threads, signal } = run;
  const { questions, counts } = await selectIn(workspace, { seed, threads, signal, task, count, audit });
  const files = await filesOf(workspace, questions);
  const written = asSheet
    ? { out: await writeQuestionSheet(out, files, { ...place, task }), unreadable: 0 }
    : await writeFolder(workspace, out, files, { ...place, task });
  return {
    items,
    counts,
    dropped,
    ...written,
    questions: files.map(({ file, question: { why, guess } }) => ({ file, why, guess })),
  };
}

/** Takes audit items back that nobody has labelled, and asks nothing. */
export async function dropAuditItems({ store }: Workspace, task: string): Promise<number> {
  await singleTask(store, task);
  return store.releaseUnlabelled(task);
}

/** The questions in their order, each with its file. */
async function filesOf({ store }: Workspace, questions: readonly Question[]): Promise<QuestionFile[]> {
  const order = new Map(questions.map(({ itemId }, i) => [itemId, i]));
  const files = new Map<number, QuestionFile>();
  for await (const { id: imageId, file, regions } of store.dataset({ unlabelled: true })) {
    const about = (itemId: string, box: QuestionFile['box']) => {
      const place = order.get(itemId);
      if (place !== undefined) files.set(place, { question: questions[place], imageId, file, box });
    };
    about(imageId, null);
    for (const { id, box } of regions) about(id, box);
  }
  return [...files].sort(([a], [b]) => a - b).map(([, file]) => file);
}

async function writeFolder(
  workspace: Workspace,
  out: string,
  files: readonly QuestionFile[],
  options: Pick<AskRequest, 'task' | 'replace'> & Pick<Parameters<typeof writeQuestionSheet>[2], 'protectedPaths'>,
): Promise<{ readonly out: string; readonly unreadable: number }> {
  const { store } = workspace;
  const read = originalBytes(workspace);
  const classNames = (await store.classes())
    .filter(({ counts }) => counts.some((of) => of.task === options.task && of.count > 0))
    .map(({ name }) => name);
  return writeQuestionFolder(out, files, { ...options, classNames, bytes: (id) => readImageIfThere(store, id, read) });
}
