/**
 * What a person says, on its way to the server: one write after the other, in order, each with the revisions that were seen.
 * A write of somebody else in between is told and not written over.
 */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { MAX_ITEMS } from '../../../src/server/limits.ts';
import { many } from '../app/many.ts';
import { useTell } from '../app/told.tsx';
import {
  answer,
  api,
  type Cell,
  type ImageDetail,
  type ItemFilter,
  type ItemRef,
  type LabelWritten,
  type Region,
  ServerError,
} from './client.ts';
import { bringForward } from './held-back.ts';
import { refreshNow, refreshSoon } from './refresh.ts';
import { type Said, saidOfCell } from './said.ts';

let last: Promise<unknown> = Promise.resolve();
/** Of images that this page wrote, newer than what it read. */
const revisions = new Map<string, number>();

let underWay = 0;
const watchers = new Set<() => void>();

function count(step: 1 | -1): void {
  underWay += step;
  for (const watcher of watchers) watcher();
}

function inOrder<T>(work: () => Promise<T>): Promise<T> {
  const next = last.then(work, work);
  last = next.catch(() => undefined);
  return next;
}

/** Something that this page said is not written yet: what is read now may be without it. */
export function useIsWriting(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => underWay > 0,
  );
}

export type SeenItem = ItemRef & { readonly revision?: number };

function seen({ itemId, imageId, revision }: SeenItem): SeenItem {
  return { itemId, imageId, revision: revision === undefined ? undefined : newest(imageId, revision) };
}

/** What this page wrote since is no write of somebody else. */
function newest(imageId: string, revision: number): number {
  return Math.max(revision, revisions.get(imageId) ?? 0);
}

function remember(written: { readonly revisions: Readonly<Record<string, number>> }): void {
  for (const [id, revision] of Object.entries(written.revisions)) revisions.set(id, revision);
}

export interface AuditAnswer {
  readonly task: string;
  readonly auditId: number;
  readonly imageId: string;
  readonly itemId: string;
  readonly className: string;
  readonly right: boolean;
  readonly trueClass: string | null;
}

export interface BoxWrite {
  readonly imageId: string;
  readonly id?: string;
  readonly box: Region['box'];
  readonly keypoints?: NonNullable<Region['keypoints']>;
  readonly task: string;
  readonly className?: string;
  /** Of the image, as it was seen. */
  readonly revision: number;
}

export interface Writes {
  /** As one operation, however many they are. */
  label(task: string, className: string, items: readonly SeenItem[], present?: boolean): Promise<boolean>;
  /** Each with a class of its own, as one operation. */
  labelEach(task: string, items: readonly (SeenItem & { readonly className: string })[]): Promise<boolean>;
  labelAll(filter: ItemFilter, className: string, present?: boolean): Promise<boolean>;
  confirm(request: {
    readonly task: string;
    readonly className: string;
    readonly as?: string;
    readonly items: readonly ItemRef[];
    readonly exceptions: readonly ItemRef[];
  }): Promise<boolean>;
  answerAudit(answer: AuditAnswer): Promise<boolean>;
  /** Draws a box (without `id`) or changes one. Gives its id, or null where it was refused. */
  putBox(box: BoxWrite): Promise<string | null>;
  deleteBox(box: Pick<BoxWrite, 'imageId' | 'revision'> & { readonly id: string }): Promise<boolean>;
  undo(): Promise<boolean>;
  redo(): Promise<boolean>;
  /** Any other write. Gives whether it was done; what went wrong is told. */
  run(work: () => Promise<unknown>, done?: string): Promise<boolean>;
}

/** One write after the other; what went wrong is told. */
function useRun() {
  const queries = useQueryClient();
  const tell = useTell();
  return useCallback(
    async (work: () => Promise<unknown>, done?: string, soon = false) => {
      count(1);
      try {
        await inOrder(work);
        if (done) tell(done);
        return true;
      } catch (error) {
        tell(whatWentWrong(error), 'wrong');
        return false;
      } finally {
        if (soon) refreshSoon(queries);
        else refreshNow(queries);
        count(-1);
      }
    },
    [queries, tell],
  );
}

/** A box that was put elsewhere stays there while it is written. What is refused is read again. */
function showBox(queries: QueryClient, { imageId, id, box, keypoints }: Omit<BoxWrite, 'revision'>): void {
  const queryKey = ['record', 'image', imageId];
  void queries.cancelQueries({ queryKey });
  queries.setQueryData<ImageDetail>(queryKey, (image) => {
    if (!image || id === undefined) return image;
    const put = (one: Region) => (one.id === id ? { ...one, box, keypoints: keypoints ?? one.keypoints } : one);
    return { ...image, regions: image.regions.map(put) };
  });
}

/** As one operation. */
async function writeInParts(said: Said, items: readonly SeenItem[], onWritten: (part: readonly SeenItem[]) => void) {
  let operation: number | 'begin' | undefined = items.length > MAX_ITEMS ? 'begin' : undefined;
  for (let at = 0; at < items.length; at += MAX_ITEMS) {
    const part = items.slice(at, at + MAX_ITEMS);
    const json = { ...said, items: part.map(seen), operation };
    const written: LabelWritten = await answer(api.labels.$post({ json }));
    remember(written);
    onWritten(part);
    operation = written.operation;
  }
}

export function useWrites(): Writes {
  const queries = useQueryClient();
  const tell = useTell();
  const run = useRun();
  /** What was acknowledged is shown before it is read again. */
  const show = (said: Said, items: readonly ItemRef[]) => {
    void queries.invalidateQueries({ queryKey: ['record', 'image'] });
    const ids = new Set(items.map(({ itemId }) => itemId));
    queries.setQueriesData<readonly Cell[]>({ queryKey: ['record', 'cells', said.task] }, (cells) =>
      cells?.map((cell) => (ids.has(cell.itemId) ? saidOfCell(cell, said) : cell)),
    );
  };
  return {
    run,
    label: (task, className, items, present = true) =>
      run(
        async () => {
          const said = { task, className, present };
          await writeInParts(said, items, (part) => show(said, part));
        },
        undefined,
        true,
      ),
    labelEach: (task, items) =>
      run(
        async () => {
          const [first] = items;
          if (!first) return;
          const each = items.map((one) => ({ ...seen(one), className: one.className }));
          remember(await answer(api.labels.$post({ json: { task, className: first.className, items: each } })));
          for (const one of items) show({ task, className: one.className, present: true }, [one]);
        },
        undefined,
        true,
      ),
    labelAll: (filter, className, present = true) =>
      run(async () => {
        const { items } = await answer(api.labels.all.$post({ json: { filter, className, present } }));
        tell(`${items.toLocaleString()} ${present ? '' : 'not '}${className}`);
      }),
    confirm: (request) =>
      run(
        async () => {
          const json = { ...request, items: request.items.map(ref), exceptions: request.exceptions.map(ref) };
          remember(await answer(api.labels.confirm.$post({ json })));
          const { task, className, as = className } = request;
          show({ task, className: as, present: true }, request.items);
          show({ task, className, present: false }, request.exceptions);
        },
        undefined,
        true,
      ),
    answerAudit: (json) => run(async () => remember(await answer(api.audit.answer.$post({ json }))), undefined, true),
    async putBox({ revision, ...box }) {
      let id: string | null = null;
      showBox(queries, box);
      await run(async () => {
        const json = { ...box, revision: newest(box.imageId, revision) };
        const written = await answer(api.regions.$post({ json }));
        remember(written);
        id = written.id;
      });
      return id;
    },
    deleteBox: ({ imageId, id, revision }) =>
      run(async () => {
        const json = { imageId, ids: [id], revision: newest(imageId, revision) };
        remember(await answer(api.regions.delete.$post({ json })));
      }, 'The box is deleted.'),
    undo() {
      bringForward();
      return run(async () => tell(saidOf('Undone', (await answer(api.undo.$post())).operation)));
    },
    redo() {
      bringForward();
      return run(async () => tell(saidOf('Done again', (await answer(api.redo.$post())).operation)));
    },
  };
}

function whatWentWrong(error: unknown): string {
  if (error instanceof ServerError) return `${error.message} ${error.hint ?? ''}`.trim();
  return error instanceof Error ? error.message : String(error);
}

const ref = ({ itemId, imageId }: ItemRef): ItemRef => ({ itemId, imageId });

interface Counted {
  readonly name: string;
  readonly labels: number;
  readonly regions: number;
}

function saidOf(what: string, operation: Counted | null): string {
  if (!operation) return 'There is nothing more.';
  const { name, labels, regions } = operation;
  const counts = [regions > 0 && many(regions, 'box', 'boxes'), labels > 0 && many(labels, 'label')].filter(Boolean);
  return `${what}: ${name}${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`;
}
