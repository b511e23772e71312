/**
 * Formats in which an export of this workspace left labels out (by origin or confidence). A person's file in one of them may
 * be that export, and what is missing in it was not removed by the person. A workspace that may only be read keeps no note.
 */
import { z } from 'zod';
import type { FormatName } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';

const SETTING = 'partial-exports';
const FORMATS = z.array(z.string());

async function partialExports(store: Pick<Store, 'getSetting'>): Promise<readonly string[]> {
  const text = await store.getSetting(SETTING);
  return text === undefined ? [] : FORMATS.parse(JSON.parse(text));
}

/** Whether an export to this format left labels out, ever. */
export async function wasPartial(store: Pick<Store, 'getSetting'>, format: FormatName): Promise<boolean> {
  return (await partialExports(store)).includes(format);
}

export async function notePartial(store: Pick<Store, 'getSetting' | 'putSetting'>, format: FormatName): Promise<void> {
  const known = await partialExports(store);
  if (known.includes(format)) return;
  await store.putSetting(SETTING, JSON.stringify([...known, format].sort()));
}
