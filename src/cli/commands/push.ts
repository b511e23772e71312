import { z } from 'zod';
import { openSink } from '../../sources/targets.ts';
import { type PushOptions, type PushResult, push as pushTo } from '../../stages/push/push.ts';
import { pushedTargets } from '../../stages/push/where.ts';
import { command } from '../command.ts';
import { printPushed, printTargets } from '../print/pushed.ts';
import { byteRate, duration, wholeNumber } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';

export const push = command({
  name: 'push',
  summary: 'bring the files of a folder to cloud storage, another machine or a mounted folder',
  details:
    'TARGET is s3://BUCKET/PREFIX (Amazon, or any server that AWS_ENDPOINT_URL_S3 names), gs://BUCKET/PREFIX,\n' +
    'az://CONTAINER/PREFIX, sftp://USER@HOST/FOLDER or a folder, which has to be there. Each file is put once, under the condition that nothing else is there, and verified by its digest; a ledger in\n' +
    'the folder says what is where, so the same command goes on after any interruption. Credentials are found as the\n' +
    'tools of each cloud find them. Without TARGET it says what is where.',
  args: {
    folder: argument('<dir>', 'the folder whose files are pushed', z.string()),
    target: argument('[target]', 'where to', z.string().optional()),
  },
  options: {
    parallel: option('--parallel <n>', 'files at once', wholeNumber(1).default(16)),
    bandwidth: option('--bandwidth <rate>', 'at most so much a second, over all files: 5MB/s', byteRate().optional()),
    verify: option(
      '--verify <by>',
      "by the store's own digest, or by reading the bytes back",
      z.enum(['store', 'bytes']).default('store'),
    ),
    deleteAfterVerified: flag('--delete-after-verified', 'delete each file here once the target has it'),
    replace: flag('--replace', 'also write over what was not pushed from this folder'),
    check: flag('--check', 'ask the target whether it still has what the ledger says'),
    patience: {
      ...option('--patience <time>', 'how long a silent target is waited for', duration().default(120_000)),
      defaultText: '2m',
    },
  },
  examples: [
    ['labelsmith push frames s3://bucket/line-1', 'to the cloud; again, to go on'],
    ['labelsmith push frames /mnt/archive --delete-after-verified', 'moved, once they are there'],
    ['labelsmith push frames s3://bucket/line-1 --bandwidth 2MB/s', 'over a thin line'],
    ['labelsmith push frames', 'what of it is where'],
  ],
  async run({ args, options, ...context }) {
    const { output, signal } = context;
    if (args.target === undefined) {
      const targets = await pushedTargets(args.folder);
      output.document({ targets });
      printTargets(output, targets);
      return targets.length === 0 ? 1 : 0;
    }
    const sink = await openSink(args.target, { cwd: process.cwd() });
    const progress = output.progress();
    try {
      const { parallel, bandwidth: bytesPerSecond, verify, deleteAfterVerified, replace, check, patience } = options;
      const settings: PushOptions = {
        parallel,
        bytesPerSecond,
        verify,
        deleteAfterVerified,
        replace,
        check,
        patienceMs: patience,
        signal,
        onProgress: (now) => progress.update(now),
      };
      const result = await pushTo(args.folder, sink, settings);
      progress.done();
      output.document(result);
      printPushed(output, result);
      return isWhole(result) ? 0 : 1;
    } finally {
      progress.done();
      await sink.close();
    }
  },
});

/** Whether everything that can be at the target is there. */
function isWhole({ counts }: PushResult): boolean {
  return counts.failed + counts.conflicts + counts.changed === 0;
}
