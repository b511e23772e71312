/**
 * What a target has under keys that are asked for in order, at the price of one request a thousand: its listing is walked
 * beside the local one. A listing that is not in order of the keys' bytes is noticed; each key is asked for by itself then.
 */
import type { Sink, SinkFile } from '../../sources/sink.ts';

export class RemoteCursor {
  readonly #sink: Sink;
  #listing: AsyncIterator<SinkFile> | undefined;
  #next: SinkFile | undefined;
  #disordered = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /**
   * What is under a key. @param before a key that is known to come before it, from which on the listing begins
   */
  async at(key: string, before: string): Promise<SinkFile | undefined> {
    if (this.#disordered || this.#sink.list === undefined) return this.#sink.find(key);
    try {
      if (this.#listing === undefined) {
        this.#listing = this.#sink.list(before)[Symbol.asyncIterator]();
        await this.#advance();
      }
      while (!this.#disordered && this.#next !== undefined && compare(this.#next.key, key) < 0) await this.#advance();
    } catch (error) {
      // The next call begins anew.
      [this.#listing, this.#next] = [undefined, undefined];
      throw error;
    }
    if (this.#disordered) return this.#sink.find(key);
    return this.#next?.key === key ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#listing?.return?.();
  }

  async #advance(): Promise<void> {
    const last = this.#next;
    const { done, value } = (await this.#listing?.next()) ?? { done: true, value: undefined };
    this.#next = done ? undefined : value;
    if (last !== undefined && this.#next !== undefined && compare(last.key, this.#next.key) >= 0)
      this.#disordered = true;
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
