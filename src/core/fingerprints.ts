/**
 * A set of strings by 52 bits of their SHA-256: 16 to 32 bytes a string however long it is. Two strings share a
 * fingerprint with probability n² / 2⁵³ (a million strings: one chance in 9,000 of a single pair), so it serves only
 * where taking two for one costs a needless suffix and nothing else.
 */
import { hash } from 'node:crypto';

/** The first 52 bits of SHA-256 as a whole number; uniform, the same everywhere. */
export function fingerprint(text: string): number {
  const digest = hash('sha256', text, 'buffer');
  return digest.readUIntBE(0, 6) * 16 + (digest[6] >> 4);
}

export class FingerprintSet {
  /** Shape [capacity], a fingerprint plus one; 0 is a free place. Open addressing, at most half full. */
  #slots = new Float64Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False when it was there already. */
  add(text: string): boolean {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const key = fingerprint(text) + 1;
    const at = this.#find(this.#slots, key);
    if (this.#slots[at] === key) return false;
    this.#slots[at] = key;
    this.#size++;
    return true;
  }

  has(text: string): boolean {
    const key = fingerprint(text) + 1;
    return this.#slots[this.#find(this.#slots, key)] === key;
  }

  #find(slots: Float64Array, key: number): number {
    let at = key % slots.length;
    while (slots[at] !== 0 && slots[at] !== key) at = at + 1 === slots.length ? 0 : at + 1;
    return at;
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    for (const key of this.#slots) if (key !== 0) larger[this.#find(larger, key)] = key;
    this.#slots = larger;
  }
}
