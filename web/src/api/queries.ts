/** What the pages read, each under one key, so that what changed is read again everywhere. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answer, api, type ItemFilter, type ItemOrder, type ItemRef } from './client.ts';
import { fetchOrder, NO_ORDER, type Order } from './order.ts';
import { serverEvents } from './server-state.ts';
import { inTurn } from './turns.ts';

export function useWorkspace() {
  return useQuery({
    queryKey: ['record', 'workspace'],
    queryFn: ({ signal }) => inTurn(signal, () => answer(api.workspace.$get({}, { init: { signal } }))),
  });
}

/** Of counts that were made a while ago: the new ones are asked for until they are there. */
const AGAIN_MS = 2000;

interface MaybeExact {
  readonly exact: boolean;
}

const untilExact = ({ state }: { readonly state: { readonly data?: MaybeExact } }) =>
  state.data?.exact === false ? AGAIN_MS : false;

export function useClasses() {
  return useQuery({
    queryKey: ['record', 'classes'],
    queryFn: ({ signal }) => inTurn(signal, () => answer(api.classes.$get({}, { init: { signal } }))),
    select: ({ classes }) => classes,
    refetchInterval: untilExact,
    placeholderData: keepPreviousData,
  });
}

export function useClusters(task: string) {
  return useQuery({
    queryKey: ['record', 'clusters', task],
    queryFn: ({ signal }) => inTurn(signal, () => answer(api.clusters.$get({ query: { task } }, { init: { signal } }))),
    select: ({ clusters }) => clusters,
    refetchInterval: untilExact,
    placeholderData: keepPreviousData,
  });
}

export function useTree() {
  return useQuery({
    queryKey: ['record', 'tree'],
    queryFn: ({ signal }) => inTurn(signal, () => answer(api.corpus.$get({}, { init: { signal } }))),
    select: ({ nodes }) => nodes,
    refetchInterval: untilExact,
    placeholderData: keepPreviousData,
  });
}

export function useOperations() {
  return useQuery({
    queryKey: ['record', 'operations'],
    queryFn: async () => (await answer(api.operations.$get({ query: { limit: 50 } }))).operations,
  });
}

export function useQuality(task: string) {
  return useQuery({
    queryKey: ['record', 'quality', task],
    queryFn: ({ signal }) => inTurn(signal, () => answer(api.quality.$get({ query: { task } }, { init: { signal } }))),
  });
}

export function useRuns() {
  return useQuery({ queryKey: ['record', 'runs'], queryFn: async () => (await answer(api.runs.$get())).runs });
}

export function useJobs() {
  return useQuery({ queryKey: ['jobs'], queryFn: async () => (await answer(api.jobs.$get())).jobs });
}

/** About how many match, until they are counted. */
export function useCount(filter: ItemFilter): { readonly count: number | undefined; readonly exact: boolean } {
  const ask = async (about: boolean, signal: AbortSignal) =>
    (await answer(api.items.count.$post({ json: { filter, about } }, { init: { signal } }))).count;
  const { data: exact, isFetching } = useQuery({
    queryKey: ['record', 'count', filter, false],
    queryFn: ({ signal }) => inTurn(signal, () => ask(false, signal)),
  });
  const { data: about } = useQuery({
    queryKey: ['record', 'count', filter, true],
    queryFn: ({ signal }) => ask(true, signal),
    enabled: exact === undefined,
  });
  return { count: exact ?? about, exact: exact !== undefined && !isFetching };
}

export function useQuarantine(enabled: boolean) {
  return useQuery({
    enabled,
    queryKey: ['record', 'quarantine'],
    queryFn: async () => (await answer(api.quarantine.$get())).files,
  });
}

export function useImage(id: string) {
  return useQuery({
    queryKey: ['record', 'image', id],
    queryFn: () => answer(api.images[':id'].$get({ param: { id } })),
    placeholderData: keepPreviousData,
  });
}

/** What a search may begin with: pictures once images are embedded, words where the embedder knows them. */
export function useSearchKinds() {
  const { data } = useQuery({ queryKey: ['record', 'search'], queryFn: () => answer(api.search.$get()) });
  return data ?? { pictures: false, words: false };
}

export function useNeighbours(id: string) {
  const { pictures } = useSearchKinds();
  return useQuery({
    enabled: pictures,
    queryKey: ['neighbours', id],
    queryFn: async () => (await answer(api.images[':id'].neighbours.$get({ param: { id }, query: {} }))).found,
    retry: false,
  });
}

/** What cells show; in blocks, so that scrolling asks for each once. */
export function useCells(task: string, items: readonly ItemRef[], enabled = true) {
  return useQuery({
    queryKey: ['record', 'cells', task, items.map(({ itemId }) => itemId)],
    queryFn: async () => (await answer(api.items.cells.$post({ json: { task, items: [...items] } }))).cells,
    enabled: enabled && items.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** What items may be instead of a class, the most likely first; of those of which a model says so. */
export function useAlternatives(task: string, className: string, items: readonly ItemRef[]) {
  const { data = [] } = useQuery({
    queryKey: ['record', 'alternatives', task, className, items.map(({ itemId }) => itemId)],
    queryFn: async () =>
      (await answer(api.items.alternatives.$post({ json: { task, className, items: [...items] } }))).items,
    enabled: items.length > 0,
    placeholderData: keepPreviousData,
  });
  return new Map(data.map(({ itemId, classes }) => [itemId, classes]));
}

/** The order of a query; the one before is shown until the next begins to come. @param round asks again when it changes */
export function useOrder(filter: ItemFilter, order: ItemOrder, round = 0, enabled = true) {
  const [state, setState] = useState<{ order: Order; error: Error | null }>({ order: NO_ORDER, error: null });
  const [returned, setReturned] = useState(0);
  const failed = state.error !== null;
  useEffect(() => {
    if (!failed) return undefined;
    const back = () => setReturned((times) => times + 1);
    serverEvents.addEventListener('back', back);
    return () => serverEvents.removeEventListener('back', back);
  }, [failed]);
  const key = JSON.stringify({ filter, order, round, returned });
  useEffect(() => {
    if (!enabled) return undefined;
    const asked: { filter: ItemFilter; order: ItemOrder } = JSON.parse(key);
    const leaving = new AbortController();
    fetchOrder(asked.filter, asked.order, leaving.signal, (grown) => {
      if (!leaving.signal.aborted) setState({ order: grown, error: null });
    }).catch((error: Error) => {
      if (!leaving.signal.aborted) setState({ order: { ...NO_ORDER, done: true }, error });
    });
    return () => leaving.abort();
  }, [key, enabled]);
  return state;
}
