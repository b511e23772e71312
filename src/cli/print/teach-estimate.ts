/** `teach select`, `train` and `rounds` with `--dry-run`: what there is, what would be asked or labelled, and how long embedding takes. */
import { plural } from '../../core/count-text.ts';
import { estimateTeach } from '../../stages/teach/estimate.ts';
import { MAX_ROUNDS } from '../../stages/teach/fine-tune/attempts.ts';
import { FOLDS } from '../../stages/teach/fine-tune/exit-gate.ts';
import type { FineTuneChoice } from '../../stages/teach/fine-tune/fine-tuned-task.ts';
import { refuseKeeping, type TeachRequest } from '../../stages/teach/teach-with.ts';
import type { Context } from '../command.ts';
import { withWorkspace } from '../workspace.ts';
import { nounOf, printEmbedEstimate } from './embedded.ts';

interface Asked {
  readonly task: string;
  readonly kind?: 'images' | 'regions';
  /** Whether it learns, so that there have to be labels; and what `teach rounds` does beside it. */
  readonly learns: boolean;
  readonly labelsRest?: boolean;
  /** What would be kept of fine-tuning, and under which name. */
  readonly keeping?: Pick<TeachRequest, 'keepEmbedder' | 'fineTune'>;
  readonly select?: { readonly count: number; readonly audit: number; readonly out: string };
}

function fineTuneText(depth: FineTuneChoice): string {
  const what = depth === 'auto' ? 'bias, last and all, each' : `${depth},`;
  return (
    `Would train the embedder too (${what} on ${FOLDS} folds, then on all labels), and what is best again, ` +
    `${MAX_ROUNDS} rounds at most; it stays as it is where held-out labels do not speak for it.`
  );
}

export function tellTeach(
  context: Context,
  { labelsRest = false, select, keeping = {}, ...request }: Asked,
): Promise<number> {
  const { output } = context;
  return withWorkspace(context, async (workspace) => {
    const { done: _, ...run } = context.runOptions();
    await refuseKeeping(workspace, { ...keeping, task: request.task });
    const estimate = await estimateTeach(workspace, request, run);
    const { items, all, labelled, unlabelled, replaced, embed } = estimate;
    const noun = nounOf(items);
    const classes = Object.keys(labelled).length;
    const labels = Object.values(labelled).reduce((sum, count) => sum + count, 0);
    const asks = select && {
      selected: Math.min(select.count, unlabelled),
      drawn: Math.min(select.audit, unlabelled),
      out: select.out,
    };
    output.document({ dryRun: true, task: request.task, ...estimate, ...asks });
    const { items: toEmbed } = embed;
    if (toEmbed > 0) printEmbedEstimate(output, embed, items);
    const has = `${plural(labels, 'label')} of ${plural(classes, 'class', 'classes')}; ${plural(unlabelled, noun)} of ${all} have none`;
    if (asks) {
      output.line(
        `Would choose up to ${plural(asks.selected, noun)} to label and draw ${asks.drawn} for the audit set: ${asks.out}`,
      );
      output.line(`There are ${has}. Nearly equal pictures are asked once, so it may be fewer.`);
      return unlabelled === 0 ? 1 : 0;
    }
    output.line(`Would learn from ${has}.`);
    if (labelsRest) {
      output.line(
        `These would get a label each or be left to people${replaced > 0 ? `; ${plural(replaced, 'label')} of earlier teaching would give way` : ''}.`,
      );
    }
    const { fineTune = 'off' } = keeping;
    if (fineTune !== 'off' && fineTune !== 'head') output.line(fineTuneText(fineTune));
    output.line('How long learning takes cannot be told before; --budget ends the search.');
    return 0;
  });
}
