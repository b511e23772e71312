/** A training that is under way, or that was stopped, in words. */
import { formatCount, plural } from '../../core/count-text.ts';
import { roundText } from '../../stages/teach/fine-tune/steps.ts';
import type { TrainingNote, TrainingUnderWay } from '../../stages/teach/training-note.ts';
import { formatDuration, formatTime, oneLine } from '../words.ts';

/** @param nowMs the time of day */
export function trainingText({ stage, task, status, training }: TrainingUnderWay, nowMs = Date.now()): string[] {
  const { atMs } = training;
  if (status === 'running') {
    return [
      `Under way: ${stage} of the task ${oneLine(task)}, as of ${formatDuration(Math.max(0, nowMs - atMs))} ago.`,
      `  ${whereText(training)}${nextText(training)}`,
    ];
  }
  return [
    `Stopped: ${stage} of the task ${oneLine(task)}, at ${formatTime(atMs)}.`,
    `  ${whereText(training)}; ${againText(training)}`,
  ];
}

function whereText(training: TrainingNote): string {
  switch (training.what) {
    case 'methods of a classifier':
      return `Methods are compared on the embedder as it is: ${plural(training.compared, 'method')} done`;
    case 'embedder': {
      const { depth, round, of, step, ofSteps, loss } = training;
      const name = roundText({ step: depth, round });
      if (ofSteps === 0) return `The embedder is to be trained (${name}): the images are prepared`;
      const onWhat = training.training === of ? 'on all labels' : `without fold ${training.training} of ${of - 1}`;
      return `The embedder is trained (${name}): training ${training.training} of ${of}, ${onWhat}, step ${step} of ${ofSteps}${lossText(loss)}`;
    }
    case 'images of a detector':
      return `The detector is taught: ${formatCount(training.done)} of ${formatCount(training.of)} images read`;
    case 'head of a detector':
      return `The detector is taught, ${training.onAll ? 'on all images' : 'without those that are held out'}: step ${training.step} of ${training.ofSteps}${lossText(training.loss)}`;
    default:
      return training satisfies never;
  }
}

function lossText(loss: number | null): string {
  return loss === null ? '' : `, loss ${loss.toFixed(3)}`;
}

/** After the folds, and after the training on all labels. */
function isJudged({ training, of, step, ofSteps }: Extract<TrainingNote, { what: 'embedder' }>): boolean {
  return ofSteps > 0 && step === ofSteps && training >= of - 1;
}

/** What comes next, of one that goes on. */
function nextText(training: TrainingNote): string {
  const { remainingMs } = training;
  if (training.what === 'embedder' && isJudged(training)) return '; what came of it is judged';
  if (remainingMs === null) return '';
  const ofWhat = {
    'methods of a classifier': '',
    embedder: ' of this depth',
    'images of a detector': ' of these',
    'head of a detector': ' of these steps',
  }[training.what];
  return `, about ${formatDuration(remainingMs)} left${ofWhat}`;
}

function againText(training: TrainingNote): string {
  switch (training.what) {
    case 'methods of a classifier':
      return 'the same command begins again';
    case 'embedder':
      if (training.ofSteps === 0) return 'the same command goes on there';
      return 'the same command goes on at most ten steps before, if the labels are the same';
    case 'images of a detector':
      return 'the same command goes on there';
    case 'head of a detector':
      return 'the same command has the images and begins the steps again';
    default:
      return training satisfies never;
  }
}
