/**
 * Finds the objects in a folder of photographs and prints how many images show each class.
 *
 *     node examples/label-a-folder.ts ~/photos
 */
import { addTo, DEFAULT_ACCEPT_RULES, detectIn, openDetector, openSources, openWorkspace } from 'labelsmith';

const [folder = '.'] = process.argv.slice(2);
const run = { seed: 0, threads: 2 };

const workspace = await openWorkspace('.labelsmith', { create: true });
const { counts } = await addTo(workspace, await openSources(workspace, [folder]), { ...run, sync: false });
console.log(`${counts.images} new images, ${counts.duplicates} known already, ${counts.quarantined} unreadable`);

const detector = await openDetector('centernet', { threads: run.threads });
await detectIn(workspace, detector, { ...run, rules: DEFAULT_ACCEPT_RULES, force: false, task: 'objects' });
await detector.close();

const images = new Map<string, number>();
for await (const { labels } of workspace.store.dataset({ task: 'objects' })) {
  for (const { className } of labels) images.set(className, (images.get(className) ?? 0) + 1);
}
for (const [name, count] of [...images].sort((a, b) => b[1] - a[1])) console.log(`${name}: ${count}`);
await workspace.close();
