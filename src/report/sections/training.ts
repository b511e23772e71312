/** What the trainings of the newest fine-tuning came to, step by step: the loss and the share that was right, a curve each. */
import { z } from 'zod';
import { html, type Markup } from '../../core/markup.ts';
import { roundText } from '../../stages/teach/fine-tune/steps.ts';
import type { RunRecord } from '../../store/store.ts';
import type { Section } from '../report-data.ts';
import { percent, time } from '../words.ts';

const ROUND = z.number().default(1);
/** As `teach rounds` records it; a point is the mean of some steps. JSON has no NaN. */
const NUMBERS = z.array(z.number().nullable());
const CURVES = z.array(
  z.object({
    step: z.string(),
    /** Absent in old runs, which tried each depth once. */
    round: ROUND,
    /** Of how many; absent in old runs, which recorded the last one alone. */
    training: z.number().optional(),
    of: z.number().optional(),
    stepsAPoint: z.number(),
    losses: NUMBERS,
    accuracies: NUMBERS,
  }),
);
const SUMS = z.object({ right: z.number(), loss: z.number() });
const GATE = z.object({
  folds: z.number(),
  labels: z.number(),
  frozen: SUMS,
  depths: z.array(
    z.object({ depth: z.string(), round: ROUND, kept: z.boolean(), figures: SUMS.nullable(), why: z.string() }),
  ),
});
type Gate = z.infer<typeof GATE>;
type Curve = z.infer<typeof CURVES>[number];

export const TRAINING: Section = {
  id: 'training',
  title: 'Training',
  render({ runs }) {
    const newest = runs.flatMap((run) => {
      const curves = CURVES.safeParse(run.metrics?.fineTuning);
      return curves.success && curves.data.length > 0 ? [{ run, curves: curves.data }] : [];
    })[0];
    return newest ? shown(newest.run, newest.curves) : null;
  },
  style: `#training figure { margin: 0 0 1.2em; max-width: 32em; }
#training .plot { display: grid; grid-template: 7em auto / 3.2em 1fr 3.2em; gap: 0 .4em; font-size: .8em; }
#training .plot svg { width: 100%; height: 100%; border: solid currentColor; border-width: 0 1px 1px; overflow: visible; }
#training .plot span { display: flex; flex-direction: column; justify-content: space-between; }
#training .plot i { font-style: normal; }
#training .plot .loss-axis { text-align: right; }
#training .plot .steps-axis { grid-column: 2; flex-direction: row; }
#training polyline { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
#training .right { stroke-dasharray: 4 3; }`,
};

function shown(run: RunRecord, curves: readonly Curve[]): Markup {
  const gate = GATE.safeParse(run.metrics?.fineTuningGate);
  return html`<p>The embedder was trained on labels of the task ${String(run.settings.task)} at ${time(new Date(run.startedAtMs).toISOString())}: every training that came to its end, for each depth that was tried: one without each fold of the labels, and the last on all of them, which is done only where the folds were better for it. What a training learned from is not what it is judged by.</p>
${gate.success ? judged(gate.data) : ''}${curves.map(figureOf)}`;
}

function judged({ folds, labels, frozen, depths }: Gate): Markup {
  const cells = (figures: Gate['frozen'] | null) =>
    html`<td>${figures ? figures.right : '–'}</td><td>${figures ? figures.loss.toFixed(3) : '–'}</td>`;
  const rows = depths.map(
    ({ depth, round, figures, kept, why }) =>
      html`<tr><th>${roundText({ step: depth, round })}</th>${cells(figures)}<td>${kept ? 'kept' : 'not kept'}: ${why}</td></tr>\n`,
  );
  return html`<table><caption>What decided: of ${labels} labels those that were right while they were held out, on the same ${folds} folds</caption>
<tr><th>depth</th><th>right</th><th>loss</th><th></th></tr>
<tr><th>as it is</th>${cells(frozen)}<td></td></tr>
${rows}</table>\n`;
}

const [WIDTH, HEIGHT] = [100, 40];

function figureOf({ training, of, stepsAPoint, losses, accuracies, ...depth }: Curve): Markup {
  const name = roundText(depth);
  const step = training === undefined ? name : `${name}, training ${training} of ${of}`;
  const [loss, right] = [losses, accuracies].map((values) => values.filter((one) => one !== null));
  const steps = losses.length * stepsAPoint;
  const most = Math.max(...(loss ?? []), 1e-9);
  const about = `loss from ${fixed(loss?.[0])} to ${fixed(loss?.at(-1))}, right from ${percent(right?.[0] ?? 0)} to ${percent(right?.at(-1) ?? 0)}`;
  return html`<figure><figcaption><strong>${step}</strong>, ${steps > 0 ? `about ${steps} steps` : 'no steps'}: ${about} (dashed)</figcaption>
<div class="plot"><span class="loss-axis"><i>${fixed(most)}</i><i>loss</i><i>0</i></span><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${step}: ${about}"><polyline class="loss" points="${pointsOf(losses, most)}"/><polyline class="right" points="${pointsOf(accuracies, 1)}"/></svg><span><i>100%</i><i>right</i><i>0%</i></span><span class="steps-axis"><i>0</i><i>steps</i><i>${steps}</i></span></div></figure>\n`;
}

function pointsOf(values: readonly (number | null)[], most: number): string {
  const last = Math.max(1, values.length - 1);
  return values
    .flatMap((value, i) =>
      value === null ? [] : [`${((i / last) * WIDTH).toFixed(2)},${(HEIGHT * (1 - value / most)).toFixed(2)}`],
    )
    .join(' ');
}

function fixed(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2);
}
