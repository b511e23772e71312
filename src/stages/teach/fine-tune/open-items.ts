/** Opens a task's items to look at: whole images, or regions of them, which are cut from the upright image each time. */

import type { Box } from '../../../core/boxes.ts';
import { type ImageId, isImageId } from '../../../core/ids.ts';
import { LabelsmithError } from '../../../errors.ts';
import { decodeUpright } from '../../../images/decode.ts';
import { originalBytes, readImageIfThere } from '../../../jobs/image-reader.ts';
import { isAboutOneFile } from '../../../jobs/read-errors.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import type { TaskItems } from '../items.ts';
import { regionIn, type TuningImage, wholeImage } from './tuning-image.ts';

/** @returns undefined for a row that cannot be read any more. Resident for regions: about 200 bytes each. */
export async function openItems(
  workspace: Workspace,
  { ids, task, recipe }: Pick<TaskItems, 'ids' | 'task' | 'recipe'>,
): Promise<(row: number) => Promise<TuningImage | undefined>> {
  const { store } = workspace;
  const read = originalBytes(workspace);
  if (task.items === 'images') {
    return async (row) => {
      const id = ids[row];
      return id !== undefined && isImageId(id) ? openImage(workspace, id) : undefined;
    };
  }
  const places = await placesOf(store, new Set<string>(ids));
  return async (row) => {
    const place = places.get(ids[row] ?? '');
    const bytes = place && (await readImageIfThere(store, place.imageId, read));
    if (!bytes) return undefined;
    try {
      return regionIn(await decodeUpright(bytes), place.box, recipe.margin ?? 0);
    } catch (error) {
      if (error instanceof LabelsmithError && isAboutOneFile(error)) return undefined;
      throw error;
    }
  };
}

/** Undefined where it cannot be read any more. */
export async function openImage(workspace: Workspace, id: ImageId): Promise<TuningImage | undefined> {
  const bytes = await readImageIfThere(workspace.store, id, originalBytes(workspace));
  return bytes ? wholeImage(bytes) : undefined;
}

interface RegionPlace {
  readonly imageId: ImageId;
  readonly box: Box;
}

async function placesOf(store: Workspace['store'], wanted: ReadonlySet<string>): Promise<Map<string, RegionPlace>> {
  const places = new Map<string, RegionPlace>();
  for await (const page of store.images({ gone: true })) {
    for (const [imageId, regions] of await store.regionsOf(page.map(({ id }) => id))) {
      for (const { id, box } of regions) if (wanted.has(id)) places.set(id, { imageId, box });
    }
  }
  return places;
}
