/**
 * Whether the server answers, and the way back to it: while it does not, it is asked again every few seconds, and what the
 * page shows is read anew when it answers.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Job } from './client.ts';
import { refreshNow, refreshSoon } from './refresh.ts';
import { listen, type Told } from './server-events.ts';

/** `gone`: nothing answers. `refused`: it was started anew, with another token. */
export type ServerState = 'there' | 'gone' | 'refused';

/** Told `back` when the server answers again. */
export const serverEvents = new EventTarget();

const AGAIN_MS = 2000;

async function askForState(): Promise<ServerState> {
  try {
    const { status } = await fetch('/api/workspace', { signal: AbortSignal.timeout(10 * AGAIN_MS) });
    return status === 401 || status === 421 ? 'refused' : 'there';
  } catch {
    return 'gone';
  }
}

/** Listens to the server: what changed is read again, jobs as they go on. */
export function useServer(): ServerState {
  const queries = useQueryClient();
  const [state, setState] = useState<ServerState>('there');
  useEffect(() => {
    let leave: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLeft = false;
    const again = () => {
      timer = setTimeout(() => {
        void askForState().then((now) => {
          if (isLeft) return;
          setState(now);
          if (now !== 'there') return again();
          serverEvents.dispatchEvent(new Event('back'));
          refreshNow(queries);
          void queries.invalidateQueries({ queryKey: ['jobs'] });
          begin();
        });
      }, AGAIN_MS);
    };
    const hear = ({ name, data }: Told) => {
      switch (name) {
        case 'changed':
          return refreshSoon(queries);
        case 'job': {
          const job: Job = JSON.parse(data);
          queries.setQueryData<Job[]>(['jobs'], (jobs = []) => [job, ...jobs.filter(({ id }) => id !== job.id)]);
          if (job.state !== 'running') void queries.invalidateQueries({ queryKey: ['record'] });
          return undefined;
        }
        case 'lost':
          clearTimeout(timer);
          void askForState().then((now) => {
            if (isLeft) return;
            setState(now);
            again();
          });
          return undefined;
        default:
          return name satisfies never;
      }
    };
    const begin = () => {
      leave = listen(hear);
    };
    begin();
    return () => {
      isLeft = true;
      clearTimeout(timer);
      leave?.();
    };
  }, [queries]);
  return state;
}
