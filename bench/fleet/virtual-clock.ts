/** Time that passes when nobody has anything to do before the next waiting ends: hours of a fleet in seconds. */
import { setImmediate } from 'node:timers/promises';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly ring: () => void;
}

export class VirtualClock {
  #nowMs = 0;
  #order = 0;
  /** A binary heap by time, then by order of asking. */
  readonly #timers: Timer[] = [];

  readonly now = (): number => this.#nowMs;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => this.#push({ atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, ring: resolve }));

  readonly repeat = (work: () => void, everyMs: number): (() => void) => {
    let isOver = false;
    const beat = async () => {
      for (;;) {
        await this.sleep(everyMs);
        if (isOver) return;
        work();
      }
    };
    void beat();
    return () => {
      isOver = true;
    };
  };

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    while (!isDone) {
      // Everything that follows from the last ring happens before the next.
      await setImmediate();
      const next = this.#pop();
      if (next === undefined) continue;
      this.#nowMs = next.atMs;
      next.ring();
    }
    return done;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!isBefore(heap[i], heap[up])) break;
      [heap[i], heap[up]] = [heap[up], heap[i]];
      i = up;
    }
  }

  #pop(): Timer | undefined {
    const heap = this.#timers;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && isBefore(heap[child], heap[least])) least = child;
      }
      if (least === i) return first;
      [heap[i], heap[least]] = [heap[least], heap[i]];
      i = least;
    }
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
