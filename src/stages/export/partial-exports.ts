/**
 * Formats in which an export of this workspace left labels out (by origin or confidence). A person's file in one of them may
 * be that export, and what is missing in it was not removed by the person.
 */
import type { FormatName } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';

/** A setting a format: two exports at once lose neither note. */
const setting = (format: FormatName) => `partial-export:${format}`;

/** Whether an export to this format left labels out, ever. */
export async function wasPartial(store: Pick<Store, 'getSetting'>, format: FormatName): Promise<boolean> {
  return (await store.getSetting(setting(format))) !== undefined;
}

export async function notePartial(store: Pick<Store, 'putSetting'>, format: FormatName): Promise<void> {
  await store.putSetting(setting(format), 'true');
}
