/** Keys of a page. They are still while something is typed into, and while the list of keys is open. */
import { type RefObject, useEffect, useRef } from 'react';
import { tinykeys } from 'tinykeys';

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/**
 * Tab led to what has the focus, and not the pointer: then Enter and the space bar press it. What was clicked keeps the focus, and
 * the page has its keys all the same.
 */
let isTabbed = false;
window.addEventListener('keydown', ({ key }) => (isTabbed ||= key === 'Tab'), { capture: true });
window.addEventListener('pointerdown', () => (isTabbed = false), { capture: true });

/** Whether the key is the element's own: it is typed into, chosen with, ticks a box or presses. */
function isOwn({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return key === ' ';
  if (isTabbed && (key === 'Enter' || key === ' ') && target.matches('button, summary, a[href]')) return true;
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
        if (isOwn(event) || document.querySelector('dialog.help[open]')) return;
        event.preventDefault();
        latest.current[name]?.(event);
      },
    ]);
    // By itself it would ignore all inputs, boxes to tick too.
    return tinykeys(window, Object.fromEntries(bound), { ignore: () => false });
  }, [names, enabled]);
}

/** A small letter that no page's key is for, typed anywhere, goes into the field, and those that follow it. */
export function useTypeAhead(field: RefObject<HTMLInputElement | null>, enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return undefined;
    const begin = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey, isComposing, defaultPrevented } = event;
      if (isOwn(event) || ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return;
      // Capital letters lead to pages. The letter itself is typed into what has the focus by then.
      if (/^\p{Ll}$/u.test(key) && document.querySelector('dialog[open]') === null) field.current?.focus();
    };
    window.addEventListener('keydown', begin);
    return () => window.removeEventListener('keydown', begin);
  }, [field, enabled]);
}
