/** How many items are worked on at once. */
import type { Device } from '../onnx/device.ts';
import type { EachItem } from './stage.ts';

/**
 * Each worker has one item in inference and one decoded and waiting, and decoding itself takes as many again. A decoded
 * item holds less than 1 MB, so this bounds memory at a few MB a thread.
 */
export function enoughInFlight(threads: number, device: Device = 'cpu'): number {
  const enough = Math.max(4, 3 * threads);
  return device === 'cpu' ? enough : Math.max(enough, DEVICE_ITEMS);
}

/** Other devices take many images a run (`models/gathered-runs.ts`): two full runs. */
const DEVICE_ITEMS = 64;

/**
 * Lets so many items at a time begin, first come, first served, until one has failed; those that had begun go on. Shards of one run
 * fail together ({@link forShard}), those that a worker does each alone ({@link nextShard}).
 */
export class ItemLanes {
  failure: { readonly error: unknown } | undefined;
  /** When the next shard may begin. */
  #turn: Promise<unknown> = Promise.resolve();
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #onDone: (wasDone: boolean) => void;

  /** @param onDone told of every item that is done, and whether it was before */
  constructor(lanes: number, onDone: (wasDone: boolean) => void = () => {}) {
    if (!(Number.isInteger(lanes) && lanes >= 1)) {
      throw new RangeError(`itemsInFlight must give a whole number of at least 1, not ${lanes}`);
    }
    this.#free = lanes;
    this.#onDone = onDone;
  }

  /** The first failure is the one that is told. */
  fail(error: unknown): void {
    this.failure ??= { error };
  }

  /** @returns `begun` is settled when the last item of the shard has begun. */
  forShard(): { readonly eachItem: EachItem; readonly begun: Promise<void> } {
    const begun = Promise.withResolvers<void>();
    const all = () => this.failure;
    return { begun: begun.promise, eachItem: this.#eachItem(begun.resolve, all, (error) => this.fail(error)) };
  }

  /**
   * A shard whose items begin when the last ones of the shard before it have begun, so that it is not done at the same time as that
   * one, and is under way while that one's result is written and another is fetched. What fails in it fails nothing else.
   *
   * @returns `end` is called when it is done, with or without items
   */
  nextShard(): { readonly eachItem: EachItem; readonly end: () => void } {
    const before = this.#turn;
    const begun = Promise.withResolvers<void>();
    this.#turn = before.then(() => begun.promise);
    const eachItem = this.#eachItem(begun.resolve);
    return {
      eachItem: async (items, work, wasDone) => {
        await before;
        return eachItem(items, work, wasDone);
      },
      end: begun.resolve,
    };
  }

  #eachItem(
    begun: () => void,
    failedElsewhere: () => { readonly error: unknown } | undefined = () => undefined,
    tell: (error: unknown) => void = () => {},
  ): EachItem {
    return async <Item, Result>(
      items: readonly Item[],
      work: (item: Item) => Promise<Result>,
      wasDone: (item: Item) => boolean = () => false,
    ) => {
      const results: Result[] = new Array(items.length);
      const pending: Promise<void>[] = [];
      let own: { readonly error: unknown } | undefined;
      const fail = (error: unknown) => {
        own ??= { error };
        tell(error);
      };
      for (const [i, item] of items.entries()) {
        await this.#enter();
        own ??= failedElsewhere();
        if (own) {
          this.#leave();
          break;
        }
        pending.push(
          work(item)
            .then((result) => {
              results[i] = result;
              this.#onDone(wasDone(item));
            })
            .catch(fail)
            .finally(() => this.#leave()),
        );
      }
      begun();
      await Promise.all(pending);
      if (own) throw own.error;
      return results;
    };
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((start) => this.#waiting.push(start));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
