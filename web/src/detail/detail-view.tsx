/** One image closely: its shapes, everything that was ever said of it and by whom, its neighbours. */
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { ImageDetail, ItemRef, Region } from '../api/client.ts';
import { useImage, useNeighbours } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { SAID_BY } from '../browse/cell-view.tsx';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask, useTaskClasses } from '../classes/use-task.ts';
import { useKeys } from '../keys/keys.ts';
import { Canvas } from './canvas.tsx';
import type { Keypoints } from './drag.ts';
import { regionClass } from './shapes.tsx';
import type { Drawing } from './use-drag.ts';

interface DetailViewProps {
  readonly item: ItemRef;
  readonly task: string;
  readonly onClose: () => void;
  readonly onStep: (step: 1 | -1) => void;
}

export function DetailView({ item, task, onClose, onStep }: DetailViewProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [other, setOther] = useState<{ readonly of: string; readonly id: string } | null>(null);
  const imageId = other?.of === item.itemId ? other.id : item.imageId;
  const { data: image, error } = useImage(imageId);
  const [chosen, setChosen] = useState<string | null>(item.itemId === item.imageId ? null : item.itemId);
  const [drawing, setDrawing] = useState<Drawing>(null);
  const draw = (how: 'corners' | 'outermost') => setDrawing(drawing === how ? null : how);
  /** Just now, and maybe not read again yet. */
  const [drawn, setDrawn] = useState<Pick<Region, 'id' | 'box'> | null>(null);
  const showing = useRef(imageId);
  useEffect(() => {
    showing.current = imageId;
  }, [imageId]);
  const { label, putBox, deleteBox } = useWrites();
  const { items } = useTask();
  const boxTask = items === 'regions' ? task : 'objects';
  useEffect(() => {
    if (dialog.current?.open) return;
    dialog.current?.showModal();
    // Not its first button, which Enter would press.
    dialog.current?.focus();
  }, []);
  useEffect(() => setChosen(item.itemId === item.imageId ? null : item.itemId), [item.itemId, item.imageId]);
  const remove = () => {
    if (!chosen || !image) return;
    void deleteBox({ imageId: image.id, id: chosen, revision: image.revision });
    setChosen(null);
  };
  useKeys({
    // While a box is drawn they move the cross.
    ArrowRight: () => drawing === null && onStep(1),
    ArrowLeft: () => drawing === null && onStep(-1),
    b: () => setChosen(nextOf(image?.regions ?? [], chosen)),
    d: () => draw('corners'),
    e: () => draw('outermost'),
    Delete: remove,
    Backspace: remove,
  });
  const onBox = (box: Region['box'], id?: string) => {
    if (!image) return;
    setDrawing(null);
    const known = image.regions.find((region) => region.id === id);
    const className = known ? undefined : image.regions.map(regionClass).at(-1) || 'object';
    const of = { imageId: image.id, id, box, task: boxTask, className, revision: image.revision };
    void putBox(of).then((put) => {
      if (put === null || known || showing.current !== image.id) return;
      setDrawn({ id: put, box });
      setChosen(put);
    });
  };
  const onKeypoints = (keypoints: Keypoints, id: string) => {
    const region = image?.regions.find((one) => one.id === id);
    if (!image || !region) return;
    void putBox({ imageId: image.id, id, box: region.box, keypoints, task: boxTask, revision: image.revision });
  };
  const said = (className: string) => {
    if (!image) return;
    const { id: imageId, revision } = image;
    const region = [...image.regions, drawn].find((one) => one?.id === chosen);
    if (region) void putBox({ imageId, id: region.id, box: region.box, task: boxTask, className, revision });
    else if (!chosen) void label(task, className, [{ itemId: imageId, imageId, revision }]);
  };
  return (
    <dialog ref={dialog} className="detail" tabIndex={-1} aria-label="One image" onClose={onClose}>
      {image ? (
        <Canvas
          image={image}
          chosen={chosen}
          drawing={drawing}
          onBox={onBox}
          onKeypoints={onKeypoints}
          onChoose={setChosen}
        />
      ) : (
        <p className="empty">{error?.message ?? '…'}</p>
      )}
      <aside>
        <Steps onStep={onStep} onClose={onClose} />
        <ClassPicker
          label={chosen ? 'Class of the box' : 'Class of the image'}
          proposals={useTaskClasses(chosen ? boxTask : task).map(({ name, count }) => ({
            name,
            what: `${count} here`,
          }))}
          onPick={said}
        />
        <div className="row">
          <button
            type="button"
            aria-pressed={drawing === 'corners'}
            title="Drag, or click two corners"
            onClick={() => draw('corners')}
          >
            <kbd>d</kbd> Draw a box
          </button>
          <button
            type="button"
            aria-pressed={drawing === 'outermost'}
            title="Click the leftmost, uppermost, rightmost and lowest point of the thing, in any order"
            onClick={() => draw('outermost')}
          >
            <kbd>e</kbd> By four points
          </button>
          <button type="button" disabled={!chosen} onClick={remove}>
            Delete it
          </button>
        </div>
        {image && <Facts image={image} chosen={chosen} onChoose={setChosen} onLeave={onClose} />}
        {image && <Neighbours id={image.id} onOpen={(id) => setOther({ of: item.itemId, id })} onLeave={onClose} />}
      </aside>
    </dialog>
  );
}

function Steps({ onStep, onClose }: Pick<DetailViewProps, 'onStep' | 'onClose'>) {
  return (
    <div className="row">
      <button type="button" onClick={() => onStep(-1)}>
        ← Before
      </button>
      <button type="button" onClick={() => onStep(1)}>
        Next →
      </button>
      <button type="button" className="end" onClick={onClose}>
        Close
      </button>
    </div>
  );
}

/** The box after the one that is chosen; after the last one none. */
function nextOf(regions: readonly Region[], chosen: string | null): string | null {
  return regions[regions.findIndex(({ id }) => id === chosen) + 1]?.id ?? null;
}

function Facts({
  image,
  chosen,
  onChoose,
  onLeave,
}: {
  readonly image: ImageDetail;
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
  readonly onLeave: () => void;
}) {
  return (
    <>
      {image.heldOut.length > 0 && (
        <p className="hint">
          Drawn for the audit of {image.heldOut.join(', ')}: what is said of it measures the machine, which never learns
          from it.
        </p>
      )}
      <h2>Said of the image</h2>
      <Said labels={image.labels} />
      {image.regions.length > 0 && <h2>Boxes</h2>}
      <ul className="boxes">
        {image.regions.map((region) => (
          <li key={region.id}>
            <button type="button" aria-pressed={region.id === chosen} onClick={() => onChoose(region.id)}>
              {regionClass(region) || 'no class'}{' '}
              <small>
                {region.touched ? 'a person' : region.score === null ? '' : `${Math.round(region.score * 100)} %`}
              </small>
            </button>
            {region.id === chosen && region.maskMaker !== null && (
              <p className="hint">Mask by {region.maskMaker.split('@')[0]}, in this box.</p>
            )}
            {region.id === chosen && <Said labels={region.labels} />}
          </li>
        ))}
      </ul>
      <h2>The file</h2>
      <p className="facts">
        {image.width} × {image.height}, {image.format}, {(image.byteSize / 1024).toFixed(0)} kB
        {image.camera && <>, {image.camera}</>}
        {image.capturedAtMs !== null && <>, {new Date(image.capturedAtMs).toLocaleString()}</>}
        {image.flags.length > 0 && <>, {image.flags.join(', ')}</>}
        <br />
        {image.paths[0]}
        <br />
        <Link href={`/browse?group=${image.groupId}`} onClick={onLeave}>
          Its near-duplicates
        </Link>
      </p>
    </>
  );
}

function Said({ labels }: { readonly labels: ImageDetail['labels'] }) {
  if (labels.length === 0) return <p className="facts">Nothing yet.</p>;
  return (
    <ul className="said">
      {labels.toReversed().map(({ task, className, present, origin, confidence, annotator, runId }) => (
        <li key={`${task} ${className} ${origin} ${present} ${annotator}`} title={runId ? `run ${runId}` : undefined}>
          {present ? '' : 'not '}
          <b>{className}</b>{' '}
          <small>
            {annotator ?? SAID_BY[origin]}
            {origin === 'human' ? '' : ` · ${Math.round(confidence * 100)} %`} · {task}
          </small>
        </li>
      ))}
    </ul>
  );
}

interface NeighboursProps {
  readonly id: string;
  readonly onOpen: (id: string) => void;
  readonly onLeave: () => void;
}

function Neighbours({ id, onOpen, onLeave }: NeighboursProps) {
  const { data: neighbours = [] } = useNeighbours(id);
  if (neighbours.length === 0) return null;
  return (
    <>
      <h2>Looks like</h2>
      <div className="strip">
        {neighbours.map((one) => (
          <button
            type="button"
            key={one.id}
            onClick={() => onOpen(one.id)}
            aria-label={`Open, ${one.similarity.toFixed(2)} alike`}
          >
            <img src={`/api/images/${one.id}/thumbnail`} alt="" />
          </button>
        ))}
      </div>
      <Link href={`/browse?like=${id}`} onClick={onLeave}>
        More that look like it
      </Link>
    </>
  );
}
