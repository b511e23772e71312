/** `?`: every key there is. */
import { useEffect, useRef } from 'react';

const KEYS = [
  ['Everywhere', ['?', 'this list'], ['Ctrl Z', 'undo, across restarts too'], ['Ctrl Shift Z', 'redo']],
  [
    'Go to',
    ['Shift S', 'start'],
    ['Shift B', 'browse'],
    ['Shift N', 'name clusters'],
    ['Shift C', 'confirm'],
    ['Shift L', 'label'],
    ['Shift K', 'classes'],
    ['Shift M', 'map'],
    ['Shift R', 'runs'],
  ],
  [
    'Browse',
    ['arrows', 'move'],
    ['Space', 'select'],
    ['Shift + arrows', 'select a range'],
    ['drag', 'select what it touches; Ctrl adds'],
    ['Ctrl A', 'everything that matches'],
    ['Enter', 'open'],
    ['l', 'label what is selected'],
    ['Esc', 'select nothing'],
  ],
  [
    'Label',
    ['1 … 9, 0', 'this class, and on to the next'],
    ['/ or any other class', 'type its name'],
    ['g', 'what the model would say'],
    ['x', 'not this'],
    ['n', 'none of these'],
    ['→ or s', 'skip'],
    ['←', 'back'],
  ],
  [
    'Name',
    ['letters', 'its name, as it is typed; / begins with a capital one'],
    ['Enter', 'the name is right'],
    ['=', 'the same as the cluster that is shown near it'],
    ['2, 3', 'split in two, in three'],
    ['Delete', 'junk'],
    ['→', 'later'],
  ],
  [
    'Confirm',
    ['click, Space', 'an exception; arrows move'],
    ['Enter', 'confirm the others, and on to the next page'],
    ['/', 'name what was clicked, or all of the page'],
    ['g', 'what was clicked is what stands under it'],
    ['s', 'skip the page'],
  ],
  [
    'Map',
    ['+ −', 'zoom'],
    ['arrows', 'move'],
    ['0', 'the whole map'],
    ['a', 'choose all in sight'],
    ['l', 'label what is chosen'],
    ['Esc', 'choose nothing'],
  ],
  [
    'An image',
    ['+ −', 'zoom'],
    ['0', 'the whole image'],
    ['d', 'draw a box: drag, or click two corners'],
    ['e', 'draw a box by its four outermost points'],
    ['arrows, Enter', 'while drawing: move the cross (Shift: far), set a point'],
    ['b', 'the next box'],
    ['Shift + arrows', 'move the box'],
    ['Alt Shift + arrows', 'resize the box'],
    ['drag', 'move the box, its corners, its points'],
    ['Delete', 'delete the box'],
    ['Esc', 'close'],
  ],
] as const;

export function Help({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={onClose}>
      <form method="dialog">
        <h2 id="help-title">Keys</h2>
        <button type="submit">Close</button>
      </form>
      <div className="columns">
        {KEYS.map(([where, ...keys]) => (
          <section key={where}>
            <h3>{where}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
