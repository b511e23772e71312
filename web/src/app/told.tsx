/** Short messages at the foot of the page, read aloud too. */
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react';

type Kind = 'done' | 'wrong';
type Tell = (text: string, kind?: Kind) => void;

const TellContext = createContext<Tell>(() => {});
const SHOWN_MS = { done: 3000, wrong: 9000 };

export function useTell(): Tell {
  return use(TellContext);
}

export function Told({ children }: { readonly children: ReactNode }) {
  const [messages, setMessages] = useState<readonly { id: number; text: string; kind: Kind }[]>([]);
  const box = useRef<HTMLDivElement>(null);
  // Shown last, it stands above a dialog that was opened since.
  useEffect(() => {
    box.current?.hidePopover();
    if (messages.length > 0) box.current?.showPopover();
  }, [messages]);
  const tell = useCallback<Tell>((text, kind = 'done') => {
    const id = performance.now();
    setMessages((shown) => [...shown.slice(-2), { id, text, kind }]);
    setTimeout(() => setMessages((shown) => shown.filter((one) => one.id !== id)), SHOWN_MS[kind]);
  }, []);
  return (
    <TellContext value={tell}>
      {children}
      <div ref={box} className="told" role="status" aria-live="polite" popover="manual">
        {messages.map(({ id, text, kind }) => (
          <p key={id} className={kind}>
            {kind === 'wrong' && <strong>Not done. </strong>}
            {text}
          </p>
        ))}
      </div>
    </TellContext>
  );
}
