/**
 * Every item that matches a query, in its order, as bytes: a million images are 32 MB. It comes while it is made, so the
 * first ones are there at once.
 */
import type { ItemFilter, ItemOrder, ItemRef } from './client.ts';
import { failureOf, fetchHere } from './client.ts';

export interface Order {
  /** Items that came so far. */
  readonly loaded: number;
  readonly done: boolean;
  at(place: number): ItemRef | undefined;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

class Bytes {
  #bytes = new Uint8Array(1 << 16);
  length = 0;

  add(more: Uint8Array): void {
    if (this.length + more.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more.length));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(more, this.length);
    this.length += more.length;
  }

  hex(from: number, to: number): string {
    let text = '';
    for (let i = from; i < to; i++) text += HEX[this.#bytes[i] ?? 0];
    return text;
  }
}

export const NO_ORDER: Order = { loaded: 0, done: false, at: () => undefined };

/** Told as it grows, at most a few times a second. */
export async function fetchOrder(
  filter: ItemFilter,
  order: ItemOrder,
  signal: AbortSignal,
  onGrown: (order: Order) => void,
): Promise<void> {
  const response = await fetchHere('/api/items/order', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ filter, order }),
    signal,
  });
  if (!response.ok || !response.body) throw await failureOf(response);
  const each = Number(response.headers.get('x-item-bytes') ?? 32);
  const bytes = new Bytes();
  const told = (done: boolean): Order => ({
    loaded: Math.floor(bytes.length / each),
    done,
    at(place) {
      const start = place * each;
      if (start + each > bytes.length) return undefined;
      const imageId = bytes.hex(start, start + 32);
      return { imageId, itemId: each === 32 ? imageId : bytes.hex(start + 32, start + 48) };
    },
  });
  let toldMs = 0;
  for await (const piece of pieces(response.body)) {
    bytes.add(piece);
    if (performance.now() - toldMs < 250) continue;
    toldMs = performance.now();
    onGrown(told(false));
  }
  onGrown(told(true));
}

async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
