/**
 * What the grid shows instead of a query: images like one that is here, like words, or like a picture that was dragged in; the
 * nearest first. Words and the image are in the page's address; a picture is not, and is gone when the page is left.
 */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import { MAX_FOUND } from '../../../src/server/limits.ts';
import { answer, api, failureOf, fetchHere } from '../api/client.ts';
import type { Order } from '../api/order.ts';
import { smallPicture } from './small-picture.ts';

/** A picture that was dragged in. */
interface Dropped {
  readonly name: string;
  /** An object URL. */
  readonly url: string;
  readonly blob: Blob;
  readonly round: number;
}

export type Asked =
  | { readonly kind: 'words'; readonly words: string }
  | { readonly kind: 'image'; readonly id: string }
  | ({ readonly kind: 'picture' } & Dropped);

interface Found {
  readonly id: string;
  readonly similarity: number;
}

async function found(asked: Asked): Promise<readonly Found[]> {
  switch (asked.kind) {
    case 'words':
      return (await answer(api.search.words.$post({ json: { words: asked.words } }))).found;
    case 'image': {
      const query = { param: { id: asked.id }, query: { count: LIKE_IMAGE } };
      return [{ id: asked.id, similarity: 1 }, ...(await answer(api.images[':id'].neighbours.$get(query))).found];
    }
    case 'picture': {
      const response = await fetchHere('/api/search/picture', { method: 'POST', body: await smallPicture(asked.blob) });
      if (!response.ok) throw await failureOf(response);
      const { found: nearest }: { found: Found[] } = await response.json();
      return nearest;
    }
    default:
      throw new Error(`unknown search ${JSON.stringify(asked satisfies never)}`);
  }
}

/** The image itself comes first. */
const LIKE_IMAGE = MAX_FOUND - 1;
const NOTHING: readonly Found[] = [];

export function useSearch() {
  const [params, setParams] = useSearchParams();
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const [words, like] = [params.get('words') ?? '', params.get('like') ?? ''];
  const asked = useMemo((): Asked | null => {
    if (words !== '') return { kind: 'words', words };
    if (like !== '') return { kind: 'image', id: like };
    // Going back from what the address says leads to the picture again.
    return dropped && { kind: 'picture', ...dropped };
  }, [dropped, words, like]);
  const { data, error, isFetching } = useQuery({
    queryKey: ['search', asked?.kind, words, like, dropped?.round],
    queryFn: () => (asked ? found(asked) : NOTHING),
    enabled: asked !== null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const order = useMemo((): Order => {
    const list = data ?? NOTHING;
    const at = (place: number) => {
      const one = list[place];
      return one && { itemId: one.id, imageId: one.id };
    };
    return { loaded: list.length, done: !isFetching, at };
  }, [data, isFetching]);
  const set = (name: 'words' | 'like' | null, value = '') =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      for (const one of ['words', 'like']) next.delete(one);
      if (name !== null && value !== '') next.set(name, value);
      return next;
    });
  return {
    asked,
    order,
    error,
    byWords(text: string): void {
      setDropped(null);
      set('words', text.trim());
    },
    byPicture(file: File): void {
      set(null);
      setDropped({ name: file.name, url: URL.createObjectURL(file), blob: file, round: performance.now() });
    },
    end(): void {
      setDropped(null);
      set(null);
    },
  };
}
