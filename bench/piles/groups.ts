/** The groups of a set's images as `add` finds them: near-duplicates and bursts. Made once and kept beside the vectors. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { dataSet } from '../photos.ts';
import { inScratch } from '../process.ts';
import { cacheFolder, listedImages, writeWhole } from './vectors.ts';

const ARCHIVED = 'cifar10-test';

/** A name for the group of every image, shape [images]. */
export async function groupsOf(name: string): Promise<string[]> {
  const file = join(cacheFolder(), name, 'groups.json');
  if (!existsSync(file)) writeWhole(file, Buffer.from(JSON.stringify(await findGroups(name))));
  return JSON.parse(readFileSync(file, 'utf8')) as string[];
}

function findGroups(name: string): Promise<string[]> {
  return inScratch(async (dir) => {
    const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
    try {
      const folder = dataSet(name === ARCHIVED ? `${name}.tar` : name);
      await addTo(workspace, await openSources(workspace, [folder]), { seed: 0, threads: 2, sync: false });
      const groupOf = new Map<string, string>();
      for await (const page of workspace.store.images()) {
        const paths = await workspace.store.pathsOfImages(page.map(({ id }) => id));
        for (const { id, groupId } of page)
          for (const { path } of paths.get(id) ?? []) groupOf.set(path.split('/').slice(-2).join('/'), groupId);
      }
      return listedImages(name).map(
        ({ className, name: image }, row) => groupOf.get(`${className}/${image}`) ?? `${row}`,
      );
    } finally {
      await workspace.close();
    }
  });
}
