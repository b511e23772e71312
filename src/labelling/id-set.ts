/** Which items are done, in a few bytes each. */
import type { ItemId } from '../core/ids.ts';

/**
 * A set of content hashes by their first 64 bits: 16 to 32 bytes an item, whatever the id's length. Two of ten million
 * items share these bits with a probability of 3e-6.
 */
export class IdSet {
  /** Pairs of 32 bits; a free place is (0, 0), and the id that has these bits counts as never there. */
  #slots = new Uint32Array(2 * 1024);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  has(id: ItemId): boolean {
    const [a, b] = [high(id), low(id)];
    const place = 2 * this.#placeOf(a, b);
    return (a | b) !== 0 && this.#slots[place] === a && this.#slots[place + 1] === b;
  }

  add(id: ItemId): void {
    if (4 * (this.#count + 1) > this.#slots.length) this.#grow();
    if (this.#put(high(id), low(id))) this.#count++;
  }

  #put(a: number, b: number): boolean {
    const place = 2 * this.#placeOf(a, b);
    if (this.#slots[place] === a && this.#slots[place + 1] === b) return false;
    this.#slots[place] = a;
    this.#slots[place + 1] = b;
    return true;
  }

  /** Where these bits are, or the free place where they belong. */
  #placeOf(a: number, b: number): number {
    const places = this.#slots.length / 2;
    // Ids are hashes already.
    let place = (a ^ b) & (places - 1);
    for (;;) {
      const [x, y] = [this.#slots[2 * place] as number, this.#slots[2 * place + 1] as number];
      if ((x === a && y === b) || (x === 0 && y === 0)) return place;
      place = (place + 1) & (places - 1);
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const [a, b] = [old[i] as number, old[i + 1] as number];
      if (a !== 0 || b !== 0) this.#put(a, b);
    }
  }
}

const high = (id: ItemId) => Number.parseInt(id.slice(0, 8), 16);
const low = (id: ItemId) => Number.parseInt(id.slice(8, 16), 16);
