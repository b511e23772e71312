/**
 * When exports to a format were made, as revisions of the workspace: what was said after one cannot be in it, so that a
 * corrected copy of it which lacks that has not removed it. Kept in the workspace and not in the export, whose bytes tell of
 * its content alone.
 */
import { z } from 'zod';
import type { FormatName } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';

/** Of more exports the oldest are forgotten; a copy of one counts as one of the oldest that is known. */
const MAX_NOTED = 200;

/** Ascending. */
const setting = (format: FormatName): Setting<number[]> => ({
  key: `export-revisions:${format}`,
  version: 1,
  schema: z.array(z.int()),
  what: `The note of exports to ${format}`,
  remedy: `Run labelsmith export ${format} again.`,
});

export async function exportRevisions(store: Pick<Store, 'getSetting'>, format: FormatName): Promise<number[]> {
  return (await readSetting(store, setting(format))) ?? [];
}

/** @param revision of the workspace before the export began to read it */
export function noteExport(store: Pick<Store, 'atomically'>, format: FormatName, revision: number): Promise<void> {
  return store.atomically(async (within) => {
    const noted = new Set(await exportRevisions(within, format));
    if (noted.has(revision)) return;
    const revisions = [...noted, revision].sort((a, b) => a - b).slice(-MAX_NOTED);
    await writeSetting(within, setting(format), revisions);
  });
}
