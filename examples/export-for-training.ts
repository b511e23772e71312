/**
 * From a folder of images and a CSV of labels to a data set that a trainer takes: split into train, val and test so that
 * duplicates and bursts stay on one side, written as a folder for each class.
 *
 *     node examples/export-for-training.ts ~/photos labels.csv data-set
 */
import { addTo, exportIn, importIn, openSources, openWorkspace } from 'labelsmith';

const [folder = 'photos', labels = 'labels.csv', out = 'data-set'] = process.argv.slice(2);
const run = { seed: 0, threads: 2 };

const workspace = await openWorkspace('.labelsmith', { create: true });
await addTo(workspace, await openSources(workspace, [folder]), { ...run, sync: false });
const { matched, unmatched } = await importIn(workspace, 'csv', labels, { ...run, as: 'human' });
console.log(`${matched} rows matched an image, ${unmatched} did not`);

const { images, splits, unlabelledSkipped } = await exportIn(workspace, 'folders', out, {
  seed: run.seed,
  split: [
    { name: 'train', fraction: 0.6 },
    { name: 'val', fraction: 0.2 },
    { name: 'test', fraction: 0.2 },
  ],
  images: 'copy',
  margin: 0,
  replace: true,
});
console.log(`${images} images, ${unlabelledSkipped} with no label left out`);
for (const [name, count] of Object.entries(splits)) console.log(`${name}: ${count}`);
await workspace.close();
