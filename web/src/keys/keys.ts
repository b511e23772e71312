/** Keys of a page. They are still while something is typed into, and while a dialog is open unless they are the dialog's. */
import { useEffect, useRef } from 'react';
import { tinykeys } from 'tinykeys';

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Whether the key is the element's own: it is typed into, chosen with, or ticks a box. */
function isOwn({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return key === ' ';
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Names of keys as tinykeys has them: `$mod+z`, `Shift+?`, `ArrowLeft`. */
export function useKeys(keys: Keys, enabled = true): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  const names = Object.keys(keys).join('\n');
  useEffect(() => {
    if (!enabled) return undefined;
    const bound = names.split('\n').map((name) => [
      name,
      (event: KeyboardEvent) => {
        if (isOwn(event)) return;
        event.preventDefault();
        latest.current[name]?.(event);
      },
    ]);
    // By itself it would ignore all inputs, boxes to tick too.
    return tinykeys(window, Object.fromEntries(bound), { ignore: () => false });
  }, [names, enabled]);
}
