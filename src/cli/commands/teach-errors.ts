import { findLabelErrors } from '../../stages/teach/label-errors.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { flag, option } from '../values.ts';
import { formatPercent, oneLine, table } from '../words.ts';
import { withWorkspace } from '../workspace.ts';
import { TASK } from './teach-learn.ts';

export const errors = command({
  name: 'teach errors',
  summary: 'labels that are probably wrong, the most doubtful first',
  details:
    "Judges people's and imported labels by models that had not seen them (cross-validation), machine labels by the\n" +
    'model itself. Run teach rounds first. Nothing is changed.',
  options: {
    task: TASK,
    count: option('-n, --count <n>', 'labels to list', wholeNumber(1).default(20)),
    machine: flag('--machine', 'machine labels too'),
  },
  examples: [['labelsmith teach errors -n 50', 'the fifty most doubtful labels']],
  run({ options: { task, machine, count }, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const labels = await findLabelErrors(workspace, task, { machine, count });
      output.document({ labels });
      const rows = labels.map(({ file, className, suggested, selfConfidence, flagged, judged }) => [
        oneLine(file),
        oneLine(className),
        judged ? formatPercent(selfConfidence) : '–',
        !judged || suggested === className ? '' : oneLine(suggested),
        flagged ? 'probably wrong' : judged ? '' : 'not judged: the only example of its class',
      ]);
      for (const line of table([['file', 'label', 'likely', 'rather', ''], ...rows])) output.line(line);
      if (labels.length > 0) {
        output.note(
          'To put them right: labelsmith review, page Label, queue "Label errors"; or a table with the columns file,class, and labelsmith import csv FILE --as human.',
        );
      }
      return labels.length === 0 ? 1 : 0;
    });
  },
});
