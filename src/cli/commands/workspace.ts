import { z } from 'zod';
import { plural } from '../../core/count-text.ts';
import { copyWorkspace } from '../../jobs/copy.ts';
import { placeOfWorkspace } from '../../jobs/place.ts';
import { command } from '../command.ts';
import { modelsFor } from '../fetching.ts';
import { argument } from '../values.ts';

export const workspaceCopy = command({
  name: 'workspace copy',
  summary: 'a whole workspace from one place to another, into PostgreSQL and back',
  details:
    'Copies every row of the record as it stands, vectors and other files: what the two export is the same, byte for byte. The\n' +
    'copy must be new. Nobody writes to the source meanwhile. Images are not copied: the paths of the record stay as they are.',
  args: {
    from: argument('<from>', 'a folder, or postgres://HOST/DATABASE', z.string()),
    to: argument('<to>', 'the same, where there is no workspace yet; postgres:// with --blobs', z.string()),
  },
  examples: [
    ['labelsmith workspace copy .labelsmith postgres://db/images --blobs s3://bucket/images', 'for many machines'],
    ['labelsmith workspace copy postgres://db/images ./back', 'and back into a folder'],
  ],
  async run(invocation) {
    const { args, global, output } = invocation;
    const copied = await copyWorkspace({ ...args, blobsAt: global.blobs, models: modelsFor(invocation) });
    const to = placeOfWorkspace(args.to).name;
    output.document({ ...copied, from: placeOfWorkspace(args.from).name, to });
    const files = [plural(copied.vectors, 'file of vectors', 'files of vectors'), plural(copied.blobs, 'other file')];
    output.summary(`Copied ${plural(copied.rows, 'row')}, ${files.join(' and ')} to ${to}.`);
    return 0;
  },
});
