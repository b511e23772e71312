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

export interface OpenedItems {
  /** Undefined for a row that cannot be read any more. */
  open(row: number): Promise<TuningImage | undefined>;
  /** Which the row is, or is a region of; undefined where the record has it no more. */
  imageOf(row: number): ImageId | undefined;
}

/** Resident for regions: about 200 bytes each. */
export async function openItems(
  workspace: Workspace,
  { ids, task, recipe }: Pick<TaskItems, 'ids' | 'task' | 'recipe'>,
): Promise<OpenedItems> {
  const { store } = workspace;
  const read = originalBytes(workspace);
  if (task.items === 'images') {
    const imageOf = (row: number) => {
      const id = ids[row];
      return id !== undefined && isImageId(id) ? id : undefined;
    };
    const open = async (row: number) => {
      const id = imageOf(row);
      return id === undefined ? undefined : openImage(workspace, id);
    };
    return { open, imageOf };
  }
  const places = await placesOf(store, new Set<string>(ids));
  const placeOf = (row: number) => places.get(ids[row] ?? '');
  const open = async (row: number) => {
    const place = placeOf(row);
    const bytes = place && (await readImageIfThere(store, place.imageId, read));
    if (!bytes) return undefined;
    try {
      return regionIn(await decodeUpright(bytes), place.box, recipe.margin ?? 0);
    } catch (error) {
      if (error instanceof LabelsmithError && isAboutOneFile(error)) return undefined;
      throw error;
    }
  };
  return { open, imageOf: (row) => placeOf(row)?.imageId };
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
