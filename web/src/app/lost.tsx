/** Said above every page while the server does not answer it. */
import type { ServerState } from '../api/server-state.ts';

export function Lost({ state }: { readonly state: ServerState }) {
  if (state === 'there') return null;
  return (
    <section className="job failed" role="alert">
      <strong>{state === 'gone' ? 'Labelsmith does not answer' : 'Labelsmith was started anew'}</strong>
      <span>
        {state === 'gone' ? (
          <>
            What you said so far is kept; nothing more is until it is back. Was it ended? Then start{' '}
            <code>labelsmith review</code> again.
          </>
        ) : (
          'This page may not talk to it yet: open the address that it printed, and this page goes on too.'
        )}
      </span>
    </section>
  );
}
