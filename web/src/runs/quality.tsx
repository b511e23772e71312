/** How good the model of the last `teach` is, and on what that was measured. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { answer, api } from '../api/client.ts';
import { Chart } from './chart.tsx';

export function Quality({ task }: { readonly task: string }) {
  const { data } = useQuery({
    queryKey: ['record', 'quality', task],
    queryFn: async () => (await answer(api.quality.$get({ query: { task } }))).quality,
  });
  if (!data) return <p className="hint">How good a model is stands here after Teach.</p>;
  const { measuredOn, count, curve, learningCurve, classes, confusions } = data;
  const learned = learningCurve?.points ?? [];
  const most = Math.max(1, ...learned.map(({ labels }) => labels));
  const reached = curve.flatMap(({ coverage, accuracy }) => (accuracy === null ? [] : [[coverage, accuracy] as const]));
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return (
    <section aria-label="Quality">
      <h2>How good the model is</h2>
      <p className="facts">
        Measured on {count.toLocaleString()} items, by{' '}
        {measuredOn === 'audit' ? 'the audit set' : 'cross-validation on the labels'}
      </p>
      <div className="charts">
        <Chart name="Right, by the share that is labelled" x="labelled" y="right" points={reached} />
        {learned.length > 0 && (
          <Chart
            name="Right, by the number of labels"
            x={`up to ${most} labels`}
            y="right"
            points={learned.map(({ labels, accuracy }) => [labels / most, accuracy])}
          />
        )}
      </div>
      {learningCurve && learningCurve.more !== null && learningCurve.more > 0 && (
        <p className="gained">
          About {learningCurve.more.toLocaleString()} more labels for {percent(learningCurve.goal)} right.
        </p>
      )}
      {confusions.length > 0 && (
        <table>
          <caption>Taken for something else, most frequent first</caption>
          <thead>
            <tr>
              <th>It is</th>
              <th>It was taken for</th>
              <th>How often</th>
              <th>Look</th>
            </tr>
          </thead>
          <tbody>
            {confusions.map(({ truth, predicted, count: times }) => (
              <tr key={`${truth} ${predicted}`}>
                <td>{truth}</td>
                <td>{predicted}</td>
                <td>{times}</td>
                <td>
                  <Link href={`/browse?class=${encodeURIComponent(truth)}`}>{truth}</Link>,{' '}
                  <Link href={`/browse?class=${encodeURIComponent(predicted)}&origin=model&order=uncertainty`}>
                    unsure {predicted}
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
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
          {classes.map(({ className, recall, precision, truths }) => (
            <tr key={className}>
              <td>{className}</td>
              <td>{percent(recall)}</td>
              <td>{percent(precision)}</td>
              <td>{truths}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
