/** The confusion matrix; what a cell holds is looked at, and opened. */
import { useState } from 'react';
import { Link } from 'wouter';
import { many } from '../app/many.ts';
import { DetailView } from '../detail/detail-view.tsx';
import { type Confusion, type MatrixCell, type MatrixClass, type MatrixRow, matrixOf } from './matrix.ts';

interface MatrixViewProps {
  readonly task: string;
  readonly classes: readonly MatrixClass[];
  readonly confusions: readonly Confusion[];
}

interface Chosen {
  readonly truth: string;
  readonly predicted: string;
}

export function MatrixView({ task, classes, confusions }: MatrixViewProps) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const rows = matrixOf(classes, confusions);
  const hasElsewhere = rows.some(({ elsewhere }) => elsewhere > 0);
  const cell = rows
    .find(({ truth }) => truth === chosen?.truth)
    ?.cells.find(({ predicted }) => predicted === chosen?.predicted);
  return (
    <section aria-label="Confusion matrix">
      <h3>What was taken for what</h3>
      <p className="hint">A row is what they are, a column what the model says. Choose a cell to see its images.</p>
      <div className="matrix">
        <table>
          <thead>
            <tr>
              <th scope="col">It is</th>
              {rows.map(({ truth }) => (
                <th key={truth} scope="col" className="turned">
                  <span>{truth}</span>
                </th>
              ))}
              {hasElsewhere && <th scope="col">others</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.truth}>
                <th scope="row">{row.truth}</th>
                {row.cells.map((one) => (
                  <Cell key={one.predicted} row={row} one={one} chosen={chosen} onChoose={setChosen} />
                ))}
                {hasElsewhere && <td>{row.elsewhere || ''}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && cell && <CellImages task={task} chosen={chosen} cell={cell} />}
    </section>
  );
}

interface CellProps {
  readonly row: MatrixRow;
  readonly one: MatrixCell;
  readonly chosen: Chosen | null;
  readonly onChoose: (chosen: Chosen) => void;
}

function Cell({ row: { truth, groundTruth }, one: { predicted, count }, chosen, onChoose }: CellProps) {
  const isRight = truth === predicted;
  if (count === 0) return <td className={isRight ? 'right' : undefined} />;
  // In steps, so that a style sheet has the colours.
  const step = Math.max(1, Math.ceil((5 * count) / Math.max(1, groundTruth)));
  const isChosen = chosen?.truth === truth && chosen.predicted === predicted;
  const told = isRight ? `${count} of ${groundTruth} ${truth} are right` : `${count} ${truth} taken for ${predicted}`;
  return (
    <td className={`${isRight ? 'right' : 'wrong'} step-${Math.min(5, step)}`}>
      <button type="button" aria-label={told} aria-pressed={isChosen} onClick={() => onChoose({ truth, predicted })}>
        {count.toLocaleString()}
      </button>
    </td>
  );
}

const IMAGE_ID_LENGTH = 64;

interface CellImagesProps {
  readonly task: string;
  readonly chosen: Chosen;
  readonly cell: MatrixCell;
}

function CellImages({ task, chosen: { truth, predicted }, cell }: CellImagesProps) {
  const { count } = cell;
  // Of a region its id alone does not say in which image it is.
  const examples = cell.examples.filter((id) => id.length === IMAGE_ID_LENGTH);
  const [opened, setOpened] = useState<number | null>(null);
  const id = opened === null ? undefined : examples[opened];
  if (truth === predicted) {
    return (
      <p>
        {many(count, 'item')} of {truth} are right.{' '}
        <Link href={`/browse?class=${encodeURIComponent(truth)}&origin=human`}>Those that people named</Link>
      </p>
    );
  }
  return (
    <section aria-label={`${truth} taken for ${predicted}`}>
      <p>
        {many(count, 'item')} of <b>{truth}</b> taken for <b>{predicted}</b>
        {examples.length < count && `; ${examples.length} of them are shown`}.{' '}
        <Link href={`/browse?class=${encodeURIComponent(predicted)}&origin=model&order=uncertainty`}>
          What else the model unsurely calls {predicted}
        </Link>
      </p>
      <div className="strip">
        {examples.map((one, i) => (
          <button type="button" key={one} onClick={() => setOpened(i)} aria-label={`Open image ${i + 1}`}>
            <img src={`/api/images/${one}/thumbnail`} alt="" />
          </button>
        ))}
      </div>
      {id && (
        <DetailView
          item={{ itemId: id, imageId: id }}
          task={task}
          onClose={() => setOpened(null)}
          onStep={(step) => setOpened((at) => Math.min(examples.length - 1, Math.max(0, (at ?? 0) + step)))}
        />
      )}
    </section>
  );
}
