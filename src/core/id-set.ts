/** Which items are done, or where they belong, in a few bytes each. */
import type { ItemId } from './ids.ts';

/**
 * A whole number for each of many content hashes, known by their first 64 bits (16 digits): 24 to 48 bytes an item, whatever
 * the id's length. Two of ten million items share these bits with a probability of 3e-6.
 */
export class IdMap {
  /** Pairs of 32 bits; a free place is (0, 0), and an id that has these bits counts as never there. */
  #keys = new Uint32Array(2 * 1024);
  #values = new Int32Array(1024);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  get(id: ItemId): number | undefined {
    return this.#valueOf(high(id), low(id));
  }

  /** Of the id whose bytes begin at `offset`. */
  getAt(bytes: Uint8Array, offset: number): number | undefined {
    return this.#valueOf(bits(bytes, offset), bits(bytes, offset + 4));
  }

  #valueOf(a: number, b: number): number | undefined {
    const place = this.#placeOf(a, b);
    const there = (a | b) !== 0 && this.#keys[2 * place] === a && this.#keys[2 * place + 1] === b;
    return there ? this.#values[place] : undefined;
  }

  set(id: ItemId, value: number): void {
    this.#setBits(high(id), low(id), value);
  }

  setAt(bytes: Uint8Array, offset: number, value: number): void {
    this.#setBits(bits(bytes, offset), bits(bytes, offset + 4), value);
  }

  #setBits(a: number, b: number, value: number): void {
    if (2 * (this.#count + 1) > this.#values.length) this.#grow();
    if (this.#put(a, b, value)) this.#count++;
  }

  /** Whether it was not there before. */
  #put(a: number, b: number, value: number): boolean {
    const place = this.#placeOf(a, b);
    const there = this.#keys[2 * place] === a && this.#keys[2 * place + 1] === b;
    this.#keys[2 * place] = a;
    this.#keys[2 * place + 1] = b;
    this.#values[place] = value;
    return !there;
  }

  /** Where these bits are, or the free place where they belong. */
  #placeOf(a: number, b: number): number {
    const mask = this.#values.length - 1;
    // Ids are hashes already.
    for (let place = (a ^ b) & mask; ; place = (place + 1) & mask) {
      const [x, y] = [this.#keys[2 * place], this.#keys[2 * place + 1]];
      if ((x === a && y === b) || (x === 0 && y === 0)) return place;
    }
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Uint32Array(2 * keys.length);
    this.#values = new Int32Array(2 * values.length);
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [keys[2 * i], keys[2 * i + 1]];
      if (a !== 0 || b !== 0) this.#put(a, b, values[i]);
    }
  }
}

/** {@link IdMap} without values. */
export class IdSet {
  readonly #map = new IdMap();

  get size(): number {
    return this.#map.size;
  }

  has(id: ItemId): boolean {
    return this.#map.get(id) !== undefined;
  }

  add(id: ItemId): void {
    this.#map.set(id, 1);
  }
}

/** As a whole number: four bytes, the first the highest, as in the digits. */
function bits(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

const high = (id: ItemId) => Number.parseInt(id.slice(0, 8), 16);
const low = (id: ItemId) => Number.parseInt(id.slice(8, 16), 16);
