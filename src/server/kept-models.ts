/**
 * Networks that searches of the page use one after the other: they stay open for a while, so that the second search need not
 * read them again. A text encoder of a large model is a gigabyte; after {@link KEPT_MS} without a search it goes.
 */
import type { Embedder } from '../models/embedder.ts';
import type { Models } from '../models/models.ts';
import type { TextEncoder } from '../models/text-encoder.ts';

interface Kept<T> {
  readonly network: Promise<T>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

const KEPT_MS = 120_000;

export interface KeptModels {
  /** In the place of the workspace's; closing what they give only lets go of it. */
  readonly models: Models;
  close(): Promise<void>;
}

export function keepModels(models: Models, keptMs = KEPT_MS): KeptModels {
  const embedders = keeper<Embedder>(keptMs);
  const encoders = keeper<TextEncoder>(keptMs);
  return {
    models: {
      ...models,
      openEmbedder: (name, options) => embedders.use(name, () => models.openEmbedder(name, options)),
      openTextEncoder: (name, options) => encoders.use(name, () => models.openTextEncoder(name, options)),
    },
    async close() {
      await Promise.all([embedders.close(), encoders.close()]);
    },
  };
}

function keeper<T extends Embedder | TextEncoder>(keptMs: number) {
  const kept = new Map<string, Kept<T>>();
  const end = async (name: string, one: Kept<T>) => {
    clearTimeout(one.timer);
    if (kept.get(name) === one) kept.delete(name);
    await one.network.then((network) => network.close()).catch(() => undefined);
  };
  return {
    async use(name: string, open: () => Promise<T>): Promise<T> {
      const one = kept.get(name) ?? { network: open(), users: 0, timer: undefined };
      kept.set(name, one);
      clearTimeout(one.timer);
      one.users++;
      const network = await one.network.catch(async (error) => {
        await end(name, one);
        throw error;
      });
      return {
        ...network,
        async close() {
          one.users--;
          if (one.users === 0) one.timer = setTimeout(() => void end(name, one), keptMs).unref();
        },
      };
    },
    close: () => Promise.all([...kept].map(([name, one]) => end(name, one))),
  };
}
