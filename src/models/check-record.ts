/** What `models check` found of a model on this machine, kept in the cache beside the models: `checks/ID.json`. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeAtomically } from '../fetch/cache.ts';

const RECORD = z.object({
  /** Of the graph that was run. */
  key: z.string(),
  sensible: z.boolean(),
  right: z.int().min(0),
  of: z.int().min(1),
  /** What was asked, in words. */
  asked: z.string(),
});
export type CheckRecord = Readonly<z.infer<typeof RECORD>>;

export async function recordCheck(cacheDir: string, id: string, record: CheckRecord): Promise<void> {
  await writeAtomically(pathOf(cacheDir, id), `${JSON.stringify(RECORD.parse(record), null, 2)}\n`);
}

/** Undefined where it was not checked, or its record is none. */
export async function findCheck(cacheDir: string, id: string): Promise<CheckRecord | undefined> {
  return RECORD.safeParse(await readJson(pathOf(cacheDir, id))).data;
}

function pathOf(cacheDir: string, id: string): string {
  return join(cacheDir, 'checks', `${id}.json`);
}
