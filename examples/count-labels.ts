/**
 * Counts the classes in a file or folder of labels, whatever its format, with no workspace and no images.
 *
 *     node examples/count-labels.ts annotations.json
 */
import { guessFormat, Reckoning, readFormat } from 'labelsmith/formats';

const [path = 'annotations.json'] = process.argv.slice(2);
const format = await guessFormat(path);
const boxes = new Map<string, number>();
let images = 0;
const reckoning = new Reckoning();
for await (const { labels, regions } of readFormat(format, path, { reckoning })) {
  images++;
  for (const { className } of [...labels, ...regions.flatMap((region) => region.labels)]) {
    boxes.set(className, (boxes.get(className) ?? 0) + 1);
  }
}
console.log(`${format}: ${images} images`);
for (const [name, count] of [...boxes].sort((a, b) => b[1] - a[1])) console.log(`${name}: ${count}`);
for (const { count, thing, outcome, text } of reckoning.report().problems)
  console.log(`${count} ${thing} ${outcome}: ${text}`);
