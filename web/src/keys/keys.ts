/** Keys of a page. They are still while something is typed into, and while a dialog is open unless they are the dialog's. */
import { useEffect, useRef } from 'react';
import { tinykeys } from 'tinykeys';

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
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
        if (isTyping(event.target)) return;
        event.preventDefault();
        latest.current[name]?.(event);
      },
    ]);
    return tinykeys(window, Object.fromEntries(bound));
  }, [names, enabled]);
}
