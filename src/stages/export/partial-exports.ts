/**
 * Formats in which an export of this workspace left labels out (by origin or confidence). A person's file in one of them may
 * be that export, and what is missing in it was not removed by the person.
 */
import { z } from 'zod';
import type { FormatName } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';

/** A setting a format: two exports at once lose neither note. */
const setting = (format: FormatName): Setting<true> => ({
  key: `partial-export:${format}`,
  version: 1,
  schema: z.literal(true),
  what: `The note of partial exports to ${format}`,
  remedy: `Run labelsmith export ${format} with --min-confidence again.`,
});

/** Whether an export to this format left labels out, ever. */
export async function wasPartial(store: Pick<Store, 'getSetting'>, format: FormatName): Promise<boolean> {
  return (await readSetting(store, setting(format))) === true;
}

export function notePartial(store: Pick<Store, 'putSetting'>, format: FormatName): Promise<void> {
  return writeSetting(store, setting(format), true);
}
