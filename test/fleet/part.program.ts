/**
 * A process of `--shard` with models made by code: `node part.program.ts STAGE PHOTOS CACHE LOCATION BLOBS INDEX COUNT`, with
 * empty BLOBS for a workspace in a folder. Prints what it came to: `written`, or what of all parts is done.
 */
import { DEFAULT_ACCEPT_RULES } from '../../src/corpus/accept.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import { PartDone } from '../../src/jobs/parts/part-done.ts';
import { partsEngine } from '../../src/jobs/parts/parts-engine.ts';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { detectIn } from '../../src/stages/detect/detect.ts';
import { embedIn } from '../../src/stages/embed/embed.ts';
import { colourModels } from '../contracts/stage/models.ts';

const RUN = { seed: 0, threads: 1, shardSize: Number(process.env.LABELSMITH_TEST_SHARD_SIZE ?? 4) };
let unused = '';
const [stage = '', photos = '', cacheDir = '', location = '', blobs = '', index = '', count = ''] =
  process.argv.slice(2);
const part = count === '' ? undefined : { index: Number(index), count: Number(count) };
const models = colourModels(cacheDir);
const engine = partsEngine({
  local: localEngine(),
  ...(part && { part }),
  claim: { beatMs: 50, takenMs: 2000 },
  onUnused: (shards) => {
    unused = `, ${shards} unused`;
  },
});
const blobsAt = blobs === '' ? undefined : blobs;
const workspace = await openWorkspace(location, { create: true, engine, models, blobsAt });
try {
  switch (stage) {
    case 'add': {
      const sources = await openSources(workspace, [photos]);
      await addTo(workspace, sources, { ...RUN, sync: false });
      break;
    }
    case 'detect': {
      const detector = await models.openDetector('colours');
      await detectIn(workspace, detector, { ...RUN, rules: DEFAULT_ACCEPT_RULES, force: false, task: 'objects' });
      break;
    }
    default: {
      const embedder = await models.openEmbedder('means', RUN);
      await embedIn(workspace, embedder, RUN).finally(() => embedder.close());
    }
  }
  process.stdout.write(`"written${unused}"\n`);
} catch (error) {
  if (!(error instanceof PartDone)) throw error;
  process.stdout.write(`${JSON.stringify(error.part)}\n`);
} finally {
  await workspace.close();
}
