/** The thread behind `pool.ts`: makes sessions and runs them. Inputs stand in shared memory and are only read. */
import { LabelsmithError } from '../errors.ts';
import { type Served, serve } from '../threads/serve.ts';
import { Session, type SessionSettings, type Tensors, type ValueTypes } from './session.ts';

export type Request =
  | {
      readonly kind: 'load';
      readonly model: number;
      readonly source: string | Uint8Array;
      readonly settings: SessionSettings;
    }
  | {
      readonly kind: 'run';
      readonly model: number;
      readonly feeds: Tensors;
      readonly outputs: readonly string[] | undefined;
    }
  | { readonly kind: 'unload'; readonly model: number };

export type Reply =
  | {
      readonly kind: 'loaded';
      readonly inputs: readonly string[];
      readonly outputs: readonly string[];
      readonly types: ValueTypes;
    }
  | { readonly kind: 'ran'; readonly tensors: Tensors }
  | { readonly kind: 'unloaded' };

const sessions = new Map<number, Session>();

async function answer(request: Request): Promise<Served<Reply>> {
  switch (request.kind) {
    case 'load': {
      const session = await Session.create(request.source, request.settings);
      sessions.set(request.model, session);
      const { inputs, outputs, types } = session;
      return { reply: { kind: 'loaded', inputs, outputs, types } };
    }
    case 'run': {
      const session = sessions.get(request.model);
      if (!session) throw new LabelsmithError('UNSUPPORTED', `model ${request.model} is not loaded in this thread`);
      const tensors = await session.run(request.feeds, request.outputs);
      const transfer = Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer);
      return { reply: { kind: 'ran', tensors }, transfer };
    }
    case 'unload': {
      await sessions.get(request.model)?.close();
      sessions.delete(request.model);
      return { reply: { kind: 'unloaded' } };
    }
    default:
      throw request satisfies never;
  }
}

serve<undefined, Request, Reply>(
  () => answer,
  async () => {
    for (const session of sessions.values()) await session.close();
    sessions.clear();
  },
);
