/**
 * A class by its name, as it is typed: own classes first, then nouns of WordNet; any other name makes a new class. A combobox
 * as the ARIA patterns have it (w3.org/WAI/ARIA/apg/patterns/combobox).
 */
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { answer, api } from '../api/client.ts';
import { useTypeAhead } from '../keys/keys.ts';

export interface ClassPickerProps {
  readonly label: string;
  readonly placeholder?: string;
  /** Shown before anything is typed. */
  readonly proposals?: readonly { readonly name: string; readonly what: string | null }[];
  readonly autoFocus?: boolean;
  /** A small letter that is typed anywhere on the page begins the name. */
  readonly typeAhead?: boolean;
  readonly onPick: (name: string) => void;
  readonly onCancel?: () => void;
}

export function ClassPicker({
  label,
  placeholder,
  proposals = [],
  autoFocus,
  typeAhead = false,
  ...on
}: ClassPickerProps) {
  const { onPick, onCancel } = on;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const [open, setOpen] = useState(false);
  const begins = text.trim();
  const { data: words = [] } = useQuery({
    queryKey: ['words', begins],
    queryFn: async () => (await answer(api.words.$get({ query: { begins } }))).words,
    enabled: begins !== '',
    placeholderData: (before) => before,
  });
  useEffect(() => {
    if (autoFocus) input.current?.focus();
  }, [autoFocus]);
  useTypeAhead(input, typeAhead);
  const known =
    begins === '' ? proposals : words.map(({ name, what, own }) => ({ name, what: own ? 'a class here' : what }));
  const isTyped = ({ name }: { readonly name: string }) => name.toLowerCase() === begins.toLowerCase();
  const typed = known.find(isTyped) ?? { name: begins, what: 'a new class' };
  // What is typed stands first, since Enter takes it.
  const choices = begins === '' ? known : [typed, ...known.filter((one) => !isTyped(one))];
  const shown = open && choices.length > 0;
  const place = Math.min(active, choices.length - 1);

  const pick = (name: string | undefined) => {
    if (!name) return;
    setText('');
    setOpen(false);
    setActive(0);
    // The page has the keys again.
    input.current?.blur();
    onPick(name);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // The key that leads here, pressed once more.
    if (event.key === '/' && text === '') event.preventDefault();
    else if (step !== undefined) {
      event.preventDefault();
      setOpen(true);
      setActive((place + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // What is typed in full counts, before the list has caught up with it.
      pick(active === 0 && begins !== '' ? typed.name : choices[place]?.name);
    } else if (event.key === 'Escape') {
      setText('');
      setOpen(false);
      input.current?.blur();
      onCancel?.();
    }
  };
  return (
    <div className="picker">
      <input
        ref={input}
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown ? `${id}-${place}` : undefined}
        placeholder={placeholder ?? label}
        value={text}
        maxLength={100}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={label} hidden={!shown} tabIndex={-1}>
        {shown &&
          choices.map(({ name, what }, i) => (
            <div
              key={name}
              id={`${id}-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === place}
              onMouseDown={(event) => {
                event.preventDefault();
                pick(name);
              }}
            >
              <b>{name}</b> <small>{what}</small>
            </div>
          ))}
      </div>
    </div>
  );
}
