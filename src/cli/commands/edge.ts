import { basename } from 'node:path';
import { z } from 'zod';
import { formatBytes } from '../../core/byte-size.ts';
import { formatCount } from '../../core/count-text.ts';
import { HALF_TOLERANCE, TOLERANCE } from '../../stages/edge/runner/difference.ts';
import { command } from '../command.ts';
import { modelsFor } from '../fetching.ts';
import { fraction, nameList, thresholds } from '../text-values.ts';
import { argument, flag, option } from '../values.ts';
import { oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

const pack = command({
  name: 'edge pack',
  summary: 'one archive with which a device labels images by itself',
  details:
    'Models as ONNX in single and, where it can be, half precision, their classes and thresholds, golden outputs that are\n' +
    'compared at every start, and a small program for Node on arm64 or x86 Linux. Without --classifier and --model: the\n' +
    'classifier that was taught here for the task class, else the usual detector. The golden input is the pixels of the\n' +
    'workspace’s first image.',
  options: {
    classifier: option('--classifier <file|task>', 'a classifier of teach', z.string().optional()),
    model: option('-m, --model <name>', 'a detector: see labelsmith models list', z.string().optional()),
    to: option('--to <file>', 'the archive, .tar.gz', z.string({ error: 'the archive, .tar.gz' })),
    classes: option('--classes <a,b>', 'of the detector: keep only these classes', nameList().optional()),
    threshold: option(
      '--threshold <t>',
      'score that a region needs, or confidence of a class (default: as the workspace has it)',
      thresholds().optional(),
    ),
    carry: flag('--carry', 'also the packages of this platform, for a device that has no network'),
    replace: flag('--replace', 'write over an archive that is there'),
  },
  examples: [
    ['labelsmith edge pack --to line-1.tar.gz', 'what was taught here'],
    ['labelsmith edge pack --model centernet --classes person,car --to gate.tar.gz', 'a detector'],
    [
      'labelsmith edge pack --classifier class --model centernet --carry --to both.tar.gz',
      'both, and nothing to install',
    ],
  ],
  run({ options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const [{ packEdge }, { classifierPath, taughtClassifier }, { DEFAULT_DETECTOR }] = await Promise.all([
        import('../../stages/edge/pack.ts'),
        import('../../stages/classify/classify-with.ts'),
        import('../../stages/detect/detect-with.ts'),
      ]);
      const { to, carry, replace, threshold, classes } = options;
      const isTaught = (await taughtClassifier(workspace, 'class')) !== undefined;
      const named = options.classifier ?? (options.model === undefined && isTaught ? 'class' : undefined);
      const model = options.model ?? (named === undefined ? DEFAULT_DETECTOR : undefined);
      const result = await packEdge(workspace, {
        to,
        carry,
        replace,
        threshold: threshold?.default,
        classifier: named === undefined ? null : await classifierPath(workspace, named),
        detector: model === undefined ? null : await modelsFor(context).prepare(model),
        rules: { threshold: threshold?.default, classThresholds: threshold?.classes, classes },
      });
      output.document(result);
      for (const { key, float16Difference, noFloat16 } of result.models) {
        const half =
          float16Difference === undefined
            ? `no half precision: ${noFloat16}`
            : `half precision differs by ${float16Difference.toExponential(1)}`;
        output.summary(`${oneLine(key)}: ${half}`);
      }
      if (result.golden === null) output.warn('There is no image here, so the golden input is a pattern.');
      output.line(`Pack: ${oneLine(result.path)} (${formatBytes(result.byteSize)})`);
      output.summary(
        `On the device, in an empty folder: tar xzf ${oneLine(basename(result.path))}, ` +
          `${carry ? '' : 'npm install --omit=dev --ignore-scripts, '}node run.mjs --check`,
      );
      return 0;
    });
  },
});

const verify = command({
  name: 'edge verify',
  summary: 'compare an engine’s outputs with the golden ones of a pack',
  details:
    'OUTPUTS is the file that trtexec --exportOutput writes, or a folder of raw files of 32-bit floats named after the\n' +
    'outputs. The pack’s README has the lines for TensorRT 8.6, 10 and 11. Exit code 1 where they differ.',
  args: {
    pack: argument('<pack>', 'the archive of edge pack', z.string()),
    outputs: argument('<outputs>', 'what the engine gave for the golden input', z.string()),
  },
  options: {
    model: option('-m, --model <name>', 'which of the pack’s models, where it has several', z.string().optional()),
    tolerance: option(
      '--tolerance <share>',
      `the largest difference, as a share of the output’s largest number, of boxes of 100 pixels (default: ${TOLERANCE}; half precision wants ${HALF_TOLERANCE})`,
      fraction().default(TOLERANCE),
    ),
  },
  examples: [['labelsmith edge verify line-1.tar.gz outputs.json --tolerance 0.02', 'an engine of half precision']],
  async run({ args, options, output }) {
    const { verifyEngine } = await import('../../stages/edge/verify.ts');
    const result = await verifyEngine(args.pack, args.outputs, options);
    output.document(result);
    for (const { name, shape, difference, values } of result.outputs) {
      const what =
        difference === null
          ? `${formatCount(values)} values, expected [${shape.join(', ')}], or no numbers`
          : difference.toExponential(2);
      output.line(`${oneLine(name)}: ${what}`);
    }
    output.summary(result.isSame ? `The same within ${result.tolerance}.` : `Not the same within ${result.tolerance}.`);
    return result.isSame ? 0 : 1;
  },
});

const push = command({
  name: 'edge push',
  summary: 'bring a pack to a device over ssh, check it there, and start it',
  details:
    'TARGET is sftp://USER@HOST/FOLDER, which has to be there. The pack is unpacked beside the one before, its packages are\n' +
    'installed by the npm of the device unless it carries them, its golden outputs are compared there, and only then it takes\n' +
    'its place. With --source it is started as a unit of the user’s systemd; results lie beside it.',
  args: {
    pack: argument('<pack>', 'the archive of edge pack', z.string()),
    target: argument('<target>', 'the folder of the device', z.string()),
  },
  options: {
    source: option(
      '--source <source>',
      'what it labels from now on: a folder of the device, or a camera',
      z.string().optional(),
    ),
  },
  examples: [
    ['labelsmith edge push line-1.tar.gz sftp://nano@jetson/opt/labels', 'there, and checked'],
    ['labelsmith edge push line-1.tar.gz sftp://nano@jetson/opt/labels --source /dev/video0', 'and started'],
  ],
  async run({ args, options, output }) {
    const { pushEdge } = await import('../../stages/edge/push.ts');
    output.note('Bringing it there, and checking it…');
    const result = await pushEdge({ ...args, ...options });
    output.document(result);
    for (const line of result.check) output.summary(oneLine(line));
    output.line(`There: ${oneLine(result.target)}, ${oneLine(result.folder)}`);
    if (result.unit !== null) output.summary(`Started: systemctl --user status ${result.unit}`);
    return 0;
  },
});

export const edgeCommands = [pack, push, verify];
