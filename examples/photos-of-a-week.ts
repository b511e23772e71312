/**
 * A source of one's own: the files of a folder that have changed within the last days. Whatever lists items is a source;
 * this one passes on what another lists. Run it every day, and only what is new is read.
 *
 *     node examples/photos-of-a-week.ts ~/photos 7
 */
import { addTo, openSources, openWorkspace, type Source } from 'labelsmith';

const [folder = '.', days = '7'] = process.argv.slice(2);

function changedWithin(source: Source, milliseconds: number): Source {
  const since = Date.now() - milliseconds;
  return {
    spec: source.spec,
    root: source.root,
    async *list(options) {
      for await (const item of source.list(options)) {
        // Problems pass: what cannot be read belongs in the quarantine, whatever its age.
        if (item.kind === 'problem' || item.entry.modifiedAtMs >= since) yield item;
      }
    },
  };
}

const workspace = await openWorkspace('.labelsmith', { create: true });
const sources = await openSources(workspace, [folder]);
const recent = sources.map((source) => changedWithin(source, Number(days) * 86_400_000));
const { counts } = await addTo(workspace, recent, { seed: 0, threads: 2, sync: false });
console.log(`${counts.images} new images of the last ${days} days`);
await workspace.close();
