import { z } from 'zod';
import { formatCount, plural } from '../../core/count-text.ts';
import { DEFAULT_DETECTOR } from '../../stages/detect/detect-with.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { fraction, nameList, taskName, wholeNumber } from '../text-values.ts';
import { option } from '../values.ts';
import { formatPercent, oneLine, table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

export const detector = command({
  name: 'teach detector',
  summary: "people's boxes of classes that the detector does not know, taught to it",
  details:
    'Learns from boxes that people drew or corrected and from imported ones. An image that anybody said something of counts\n' +
    'as looked through: what has no box there is background. A part of the images is held out, and only a detector that is\n' +
    'good enough on them gets its name; then it learns from them too. The classes that it knew are found as before.',
  options: {
    task: option('--task <name>', 'the task with the boxes', taskName().default('objects')),
    model: option('-m, --model <name>', 'the detector that is taught more', z.string().default(DEFAULT_DETECTOR)),
    name: option('--name <name>', 'what detect --model calls it (default: TASK-detector)', z.string().optional()),
    classes: option(
      '--classes <a,b>',
      'these alone; one that it knows is taught anew (default: all that it does not know)',
      nameList().optional(),
    ),
    minBoxes: option('--min-boxes <n>', 'a class with fewer is left out', wholeNumber(1).default(10)),
    holdOut: option('--hold-out <share>', 'of the images, to judge it on', fraction().default(0.2)),
    minAp50: option('--min-ap50 <ap>', 'AP50 that it needs on them to be used', fraction().default(0.3)),
  },
  examples: [
    ['labelsmith teach detector', 'new classes of the task objects'],
    ['labelsmith teach detector --task parts --name parts --classes relay,fuse', 'two classes of another task'],
  ],
  run({ options, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const { teachDetector } = await import('../../stages/teach/detector/teach-detector.ts');
      const { holdOut: heldOut, name = nameFor(options.task), ...rest } = options;
      const run = context.runOptions();
      const result = await teachDetector(workspace, { ...run, ...rest, heldOut, name });
      run.done();
      const { counts, metrics: _, interrupted: __, ...said } = result;
      output.document({ ...said, ...counts });
      print(output, result, options.minAp50);
      return result.usable ? 0 : 1;
    });
  },
});

/** Fewer held-out boxes say little. */
const FEW_BOXES = 30;

type Result = Awaited<ReturnType<typeof import('../../stages/teach/detector/teach-detector.ts').teachDetector>>;

function print(output: Output, result: Result, minAp50: number): void {
  const { classes, counts, heldOut, tooFew, usable, name, file } = result;
  const { boxes, images, heldOutImages, unreadable } = counts;
  const from = `${formatCount(boxes)} ${boxes === 1 ? 'box' : 'boxes'} in ${plural(images, 'image')}`;
  output.summary(`Taught ${plural(classes.length, 'class', 'classes')} from ${from}.`);
  const held = plural(heldOutImages, 'image');
  output.summary(usable ? `On ${held} of them, before it learned from these too:` : `On ${held} that it had not seen:`);
  const percent = (ap: number | null) => (ap === null ? 'none there' : formatPercent(ap));
  const isAnew = heldOut.perClass.some(({ before }) => before !== undefined);
  const rows = heldOut.perClass.map(({ className, boxes: of, AP50, before }) => [
    oneLine(className),
    String(of),
    percent(AP50),
    ...(isAnew ? [before === undefined ? 'not known' : percent(before)] : []),
  ]);
  const header = ['class', 'boxes', 'AP50', ...(isAnew ? ['before'] : [])];
  for (const line of table([header, ...rows])) output.summary(`  ${line}`);
  for (const { className, boxes: few } of tooFew)
    output.note(`note: ${oneLine(className)} has too few boxes (${few}).`);
  if (unreadable > 0) output.warn(`${plural(unreadable, 'image')} could not be read and were left out.`);
  output.summary(
    usable
      ? `It may be used: labelsmith detect --model ${name}`
      : heldOut.AP50 === null
        ? 'Not used: no image that was held out has a box of these classes, so nothing says how good it is.'
        : `Not used: AP50 is ${formatPercent(heldOut.AP50)}, and ${formatPercent(minAp50)} are asked for (--min-ap50).`,
  );
  const judgedOn = heldOut.perClass.reduce((sum, one) => sum + one.boxes, 0);
  if (judgedOn > 0 && judgedOn < FEW_BOXES) {
    const how = `AP50 rests on ${plural(judgedOn, 'box', 'boxes')}, which says little`;
    output.warn(
      `${how}: one box more or less is some ${formatPercent(1 / judgedOn, 0)}. Look at what it finds before you trust it.`,
    );
  }
  output.summary(`Network: ${file}`);
}

function nameFor(task: string): string {
  const plain = task
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `${plain || 'own'}-detector`;
}
