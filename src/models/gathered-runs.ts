/**
 * Several images a run, for devices that are quick with many at once. Images that are asked about while runs are under way are
 * gathered into the next one, so nobody waits for others to come.
 *
 * Guarantees: each asker gets what was said of its own image; where the device has too little memory for so many images, the number
 * is halved for good and those images are asked about again. Cost: a run of fewer images takes as long as a full one.
 */
import { messageOf } from '../errors.ts';

/** A model that takes a fixed number of images a run. */
export interface FixedRuns<Result> {
  /** @param images at most the number that it was opened for */
  run(images: readonly Uint8Array[]): Promise<readonly Result[]>;
  close(): Promise<void>;
}

export interface GatherOptions<Result> {
  /** Images a run at first. */
  readonly images: number;
  /** Runs under way at once. */
  readonly lanes: number;
  readonly open: (images: number) => Promise<FixedRuns<Result>>;
  /** Told when the device had too little memory. */
  readonly onFewer?: (images: number) => void;
}

interface Asked<Result> {
  readonly pixels: Uint8Array;
  readonly answer: PromiseWithResolvers<Result>;
}

/** What ONNX Runtime and the drivers below it say when memory is short. */
const TOO_LITTLE_MEMORY = /out of memory|(?:failed|unable|cannot) to allocate|bad[_ ]alloc|not enough memory/i;

export class GatheredRuns<Result> {
  readonly #options: GatherOptions<Result>;
  readonly #waiting: Asked<Result>[] = [];
  #images: number;
  #opened: Promise<FixedRuns<Result>>;
  #underWay = 0;

  private constructor(options: GatherOptions<Result>, opened: FixedRuns<Result>) {
    this.#options = options;
    this.#images = options.images;
    this.#opened = Promise.resolve(opened);
  }

  static async open<Result>(options: GatherOptions<Result>): Promise<GatheredRuns<Result>> {
    return new GatheredRuns(options, await options.open(options.images));
  }

  /** Images a run now. */
  get images(): number {
    return this.#images;
  }

  /** @param pixels the runs' until it settles */
  ask(pixels: Uint8Array): Promise<Result> {
    const answer = Promise.withResolvers<Result>();
    this.#waiting.push({ pixels, answer });
    this.#start();
    return answer.promise;
  }

  async close(): Promise<void> {
    await (await this.#opened).close();
  }

  #start(): void {
    while (this.#underWay < this.#options.lanes && this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, this.#images);
      this.#underWay++;
      void this.#run(taken).finally(() => {
        this.#underWay--;
        this.#start();
      });
    }
  }

  async #run(taken: readonly Asked<Result>[]): Promise<void> {
    const opened = this.#opened;
    const images = this.#images;
    try {
      const results = await (await opened).run(taken.map(({ pixels }) => pixels));
      for (const [i, { answer }] of taken.entries()) answer.resolve(results[i]);
    } catch (error) {
      if (images === 1 || !TOO_LITTLE_MEMORY.test(messageOf(error))) {
        for (const { answer } of taken) answer.reject(error);
        return;
      }
      // Another run may have found it out before.
      if (this.#opened === opened) this.#halve(opened, images);
      this.#waiting.unshift(...taken);
    }
  }

  #halve(before: Promise<FixedRuns<Result>>, images: number): void {
    this.#images = images / 2;
    this.#opened = (async () => {
      await (await before).close();
      return this.#options.open(this.#images);
    })();
    // Whoever runs next is told of a failure.
    this.#opened.catch(() => undefined);
    this.#options.onFewer?.(this.#images);
  }
}
