/**
 * The files whose batch is being worked on, in the record: what a killed `watch` had taken in and not labelled is taken again
 * by the next one. Files that `add` brought in belong to the stages and are not remembered here.
 */
import { z } from 'zod';
import type { Store } from '../../store/store.ts';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';

const SCHEMA = z.object({ paths: z.array(z.string()) });

const settingOf = (root: string): Setting<z.infer<typeof SCHEMA>> => ({
  key: `watch:unfinished:${root}`,
  version: 1,
  schema: SCHEMA,
  what: 'the files that watch was working on',
  remedy: 'Run detect, embed and then discover, match or teach predict: they label what was left.',
});

type UnfinishedStore = Pick<Store, 'getSetting' | 'putSetting' | 'swapSetting' | 'lookupPaths'>;

export class Unfinished {
  readonly #store: UnfinishedStore;
  readonly #setting: Setting<z.infer<typeof SCHEMA>>;
  /** Of the command that was killed; each until it is taken again. */
  readonly #left: Set<string>;
  /** True from the first batch until what follows the last one is done. */
  #isOpen: boolean;

  private constructor(store: UnfinishedStore, root: string, left: readonly string[] | undefined) {
    [this.#store, this.#setting, this.#left] = [store, settingOf(root), new Set(left)];
    this.#isOpen = left !== undefined;
  }

  /** @param root the folder that is watched */
  static async open(store: UnfinishedStore, root: string): Promise<Unfinished> {
    return new Unfinished(store, root, (await readSetting(store, settingOf(root)))?.paths);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  has(path: string): boolean {
    return this.#left.has(path);
  }

  /** Does the work on files of one batch; they and those left count as unfinished until it is done. */
  async during<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
    this.#isOpen = true;
    await this.#write(new Set([...this.#left, ...paths]));
    const result = await work();
    for (const path of paths) this.#left.delete(path);
    await this.#write(this.#left);
    return result;
  }

  /** All that follows the last batch is done. What a killed command left is remembered still, but for files that are gone. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    const known = await this.#store.lookupPaths([...this.#left]);
    // A file that is not on record is new whenever it comes.
    for (const path of this.#left) if (known.get(path)?.missing !== false) this.#left.delete(path);
    if (this.#left.size > 0) return this.#write(this.#left);
    await this.#store.swapSetting(this.#setting.key, await this.#store.getSetting(this.#setting.key), undefined);
    this.#isOpen = false;
  }

  #write(paths: ReadonlySet<string>): Promise<void> {
    return writeSetting(this.#store, this.#setting, { paths: [...paths].sort() });
  }
}
