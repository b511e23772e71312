/** How good the model of the last `teach` is, and on what that was measured: the figures of its run, and no others. */
import type { Quality } from '../api/client.ts';
import { useQuality } from '../api/queries.ts';
import { many } from '../app/many.ts';
import { MatrixView } from './matrix-view.tsx';
import { Plot } from './plot.tsx';

const WHOLE = [0, 1] as const;
const percent = (share: number) => `${Math.round(share * 100)} %`;

export default function QualityView({ task }: { readonly task: string }) {
  const { data } = useQuality(task);
  if (!data) return <p className="hint">…</p>;
  const { quality, accuracy } = data;
  return (
    <>
      {accuracy.length > 0 && (
        <section className="measured" aria-label="How many labels are right">
          {accuracy.map((row) => (
            <p key={row}>{row}</p>
          ))}
        </section>
      )}
      {quality ? (
        <ModelQuality task={task} quality={quality} />
      ) : (
        <p className="hint">How good a model is stands here after Teach.</p>
      )}
    </>
  );
}

interface ModelQualityProps {
  readonly task: string;
  readonly quality: NonNullable<Quality['quality']>;
}

function ModelQuality({ task, quality }: ModelQualityProps) {
  const { measuredOn, count, curve, reliability, learningCurve, classes, confusions } = quality;
  const reached = curve.flatMap(({ coverage, accuracy }) => (accuracy === null ? [] : [[coverage, accuracy] as const]));
  const learned = (learningCurve?.points ?? []).map(({ labels, accuracy }) => [labels, accuracy] as const);
  const mostLabels = Math.max(1, ...learned.map(([labels]) => labels));
  return (
    <section aria-label="Quality">
      <h2>How good the model is</h2>
      <p className="facts">
        Measured on {many(count, 'item')}, by{' '}
        {measuredOn === 'audit' ? 'the audit set' : 'cross-validation on the labels'}
      </p>
      <div className="charts">
        <Plot
          name="Right, by the share that is labelled"
          x={{ name: 'labelled, by the least confidence', range: WHOLE, isShare: true }}
          y={{ name: 'right', range: [lowest(reached), 1] }}
          lines={[{ name: 'right', kind: 'curve', points: reached }]}
        />
        {reliability.length > 0 && (
          <Plot
            name="As often right as it says"
            x={{ name: 'how sure it says it is', range: WHOLE, isShare: true }}
            y={{ name: 'right', range: WHOLE }}
            lines={[
              {
                name: 'as it should be',
                kind: 'guide',
                points: [
                  [0, 0],
                  [1, 1],
                ],
              },
              { name: 'right', kind: 'points', points: reliability.map((bin) => [bin.confidence, bin.accuracy]) },
            ]}
          />
        )}
        {learned.length > 0 && learningCurve && (
          <Plot
            name="Right, by the number of labels"
            x={{ name: 'labels', range: [0, mostLabels * 1.05], isShare: false }}
            y={{ name: 'right', range: [lowest([...learned, [0, learningCurve.goal]]), 1] }}
            lines={[
              {
                name: 'goal',
                kind: 'guide',
                points: [
                  [0, learningCurve.goal],
                  [mostLabels, learningCurve.goal],
                ],
              },
              { name: 'right', kind: 'curve', points: learned },
            ]}
          />
        )}
      </div>
      {learningCurve && learningCurve.more !== null && learningCurve.more > 0 && (
        <p className="gained">
          About {many(learningCurve.more, 'more label', 'more labels')} for {percent(learningCurve.goal)} right.
        </p>
      )}
      <MatrixView task={task} classes={classes} confusions={confusions} />
      <table>
        <caption>By class</caption>
        <thead>
          <tr>
            <th>Class</th>
            <th>Found of it</th>
            <th>Right where it says so</th>
            <th>Examples</th>
          </tr>
        </thead>
        <tbody>
          {classes.map(({ className, recall, precision, groundTruth }) => (
            <tr key={className}>
              <td>{className}</td>
              <td>{percent(recall)}</td>
              <td>{percent(precision)}</td>
              <td>{groundTruth}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Where an axis begins: a tenth below the lowest point, so that what differs is seen to. */
function lowest(points: readonly (readonly [number, number])[]): number {
  return Math.max(0, Math.floor(10 * Math.min(1, ...points.map(([, y]) => y)) - 1) / 10);
}
