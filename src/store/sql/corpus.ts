/**
 * Operations on the corpus, with their history.
 *
 * An operation is one transaction: the rows of classes and synonyms that differ, the labels of items it reassigns, and
 * the history that undoes both. Undo goes by what is there now: a label that was written again since keeps that.
 */
import { readClassName } from '../../core/class-name.ts';
import type { CorpusChange, CorpusClass, CorpusEvent, CorpusState, Reassignment } from '../../core/corpus.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../store.ts';
import type { Draft } from './changeset.ts';
import { changedRows, type RowChange, type RowChanges, withRows } from './corpus-diff.ts';
import { labelHistory } from './corpus-labels.ts';
import { NONE_CLASS_ID } from './schema.ts';
import type { Session } from './session.ts';
import { template } from './template.ts';

type CorpusStore = Pick<Store, 'corpus' | 'changeCorpus' | 'undoCorpusChange' | 'corpusHistory' | 'dropUnusedClasses'>;

/** What `class_history.forward` holds; `backward` holds the rows alone. */
interface Forward extends RowChanges {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly labels: number;
}

interface ClassRow {
  id: number;
  name: string;
  root_id: number;
  parent_id: number | null;
  description: string | null;
  synset: string | null;
  placed: number;
}

export function corpusStore(session: Session): CorpusStore {
  const { db, driver } = session;
  const labels = labelHistory(session);
  const add = template<ClassRow>((v) => db.insertInto('class').values({ id: v.id, name: v.name, root_id: v.id }));
  const rename = template<{ id: number; name: string }>((v) =>
    db.updateTable('class').set({ name: v.name }).where('id', '=', v.id),
  );
  const put = template<ClassRow>((v) =>
    db
      .updateTable('class')
      .set({
        name: v.name,
        root_id: v.root_id,
        parent_id: v.parent_id,
        description: v.description,
        synset: v.synset,
        placed: v.placed,
      })
      .where('id', '=', v.id),
  );
  const letGo = template<{ id: number }>((v) =>
    db.updateTable('class').set({ root_id: v.id, parent_id: null }).where('id', '=', v.id),
  );
  const drop = template<{ id: number }>((v) => db.deleteFrom('class').where('id', '=', v.id));
  const putSynonym = template<{ name: string; class_id: number }>((v) =>
    db.insertInto('class_alias').values({ name: v.name, class_id: v.class_id }),
  );
  const dropSynonym = template<{ name: string }>((v) => db.deleteFrom('class_alias').where('name', '=', v.name));
  const record = template<{ id: number; at_ms: number; operation: string; forward: string; backward: string }>((v) =>
    db.insertInto('class_history').values({
      id: v.id,
      at_ms: v.at_ms,
      operation: v.operation,
      forward: v.forward,
      backward: v.backward,
      undone: 0,
    }),
  );
  const markUndone = template<{ id: number }>((v) =>
    db.updateTable('class_history').set({ undone: 1 }).where('id', '=', v.id),
  );

  const stateQueries = [
    db.selectFrom('class').selectAll().where('id', '<>', NONE_CLASS_ID),
    db.selectFrom('class_alias').selectAll(),
  ] as const;

  async function readState(): Promise<CorpusState> {
    const [classes, synonyms] = await driver.read(stateQueries);
    return {
      classes: new Map(
        classes.map((row): [number, CorpusClass] => [
          row.id,
          {
            id: row.id,
            name: row.name,
            rootId: row.root_id,
            parentId: row.parent_id,
            placed: row.placed !== 0,
            description: row.description,
            synset: row.synset,
          },
        ]),
      ),
      synonyms: new Map(synonyms.map((row) => [row.name, row.class_id])),
    };
  }

  /**
   * Writes the rows of `to`. Names change places by way of names that nobody can give, since the database holds every
   * name to be unique after every statement.
   */
  function writeRows(draft: Draft, from: CorpusState, to: RowChanges): void {
    draft.bump('dictionary');
    for (const [name] of to.synonyms) if (from.synonyms.has(name)) draft.add(dropSynonym, { name });
    for (const [id, row] of to.classes) {
      const name = `\u0000${id}`;
      const old = from.classes.get(id);
      if (row && !old) draft.add(add, { ...rowOf(row), name });
      else if (old && old.name !== row?.name) draft.add(rename, { id, name });
    }
    for (const [, row] of to.classes) if (row) draft.add(put, rowOf(row));
    // Rows that go may be each other's parents: first they let go, then they go.
    const gone = to.classes.flatMap(([id, row]) => (row === null && from.classes.has(id) ? [id] : []));
    for (const id of gone) draft.add(letGo, { id });
    for (const id of gone) draft.add(drop, { id });
    for (const [name, classId] of to.synonyms) if (classId !== null) draft.add(putSynonym, { name, class_id: classId });
  }

  async function history(
    limit: number,
    undone?: 0,
  ): Promise<(CorpusEvent & { forward: Forward; backward: RowChanges })[]> {
    let query = db.selectFrom('class_history').selectAll().orderBy('id', 'desc').limit(limit);
    if (undone !== undefined) query = query.where('undone', '=', undone);
    const [rows] = await driver.read([query]);
    return rows.map((row) => {
      const forward = JSON.parse(row.forward) as Forward;
      return {
        id: row.id,
        atMs: row.at_ms,
        operation: row.operation,
        arguments: forward.arguments,
        undone: row.undone !== 0,
        labels: forward.labels,
        forward,
        backward: JSON.parse(row.backward) as RowChanges,
      };
    });
  }

  return {
    corpus: readState,

    async changeCorpus(operation, change) {
      let event: CorpusEvent | null = null;
      await session.write(async (draft) => {
        event = null;
        await refuseStale(session, draft);
        const before = await readState();
        const { state: after, items }: CorpusChange = await change(before);
        const forward = changedRows(before, after);
        const list: readonly Reassignment[] = items?.list ?? [];
        if (forward.classes.length + forward.synonyms.length + list.length === 0) return;
        const [[last]] = await driver.read([db.selectFrom('class_history').select((eb) => eb.fn.max('id').as('id'))]);
        const id = Number(last?.id ?? 0) + 1;
        writeRows(draft, before, forward);
        const prepared = items && (await labels.prepare(draft, after, items.how, list));
        const count = prepared?.labels ?? 0;
        const told: Forward = { ...forward, arguments: operation.arguments, labels: count };
        draft.add(record, {
          id,
          at_ms: operation.atMs,
          operation: operation.name,
          forward: JSON.stringify(told),
          backward: JSON.stringify(changedRows(after, before)),
        });
        prepared?.write(id);
        event = {
          id,
          atMs: operation.atMs,
          operation: operation.name,
          arguments: operation.arguments,
          undone: false,
          labels: count,
        };
      });
      return event;
    },

    async undoCorpusChange() {
      let event: CorpusEvent | null = null;
      await session.write(async (draft) => {
        event = null;
        await refuseStale(session, draft);
        const [newest] = await history(1, 0);
        if (!newest) return;
        const state = await readState();
        const { forward, backward, ...told } = newest;
        refuseForeign(state, forward);
        await labels.undo(draft, newest.id);
        const kept = await labels.stillUsed(
          backward.classes.flatMap(([id, row]) => (row ? [] : [id])),
          newest.id,
        );
        const rows = {
          ...backward,
          classes: backward.classes.map(
            ([id, row]): RowChange => [id, row ?? (kept.has(id) ? (state.classes.get(id) ?? null) : null)],
          ),
        };
        writeRows(draft, state, rows);
        draft.add(markUndone, { id: newest.id });
        event = { ...told, undone: true };
      });
      return event;
    },

    async dropUnusedClasses(names) {
      let dropped: string[] = [];
      await session.write(async (draft) => {
        dropped = [];
        await refuseStale(session, draft);
        const state = await readState();
        const [skeletons] = await driver.read([
          db.selectFrom('class').select('name').where('skeleton', 'is not', null),
        ]);
        const more = new Set(skeletons.map(({ name }) => name));
        const bare = bareClasses(state, namesAsKept(names)).filter(({ name }) => !more.has(name));
        if (bare.length === 0) return;
        const told = new Set(
          (await history(Number.MAX_SAFE_INTEGER)).flatMap(({ forward, backward }) =>
            [...forward.classes, ...backward.classes].map(([id]) => id),
          ),
        );
        const open = bare.filter(({ id }) => !told.has(id));
        const used = await labels.labelled(open.map(({ id }) => id));
        const gone = open.filter(({ id }) => !used.has(id));
        writeRows(draft, state, { classes: gone.map(({ id }): RowChange => [id, null]), synonyms: [] });
        dropped = gone.map(({ name }) => name).sort();
      });
      return dropped;
    },

    async corpusHistory(limit = Number.MAX_SAFE_INTEGER) {
      return (await history(limit)).map(({ forward: _, backward: __, ...event }) => event);
    },
  };
}

/** As they were given and as the record has them. */
function namesAsKept(names: readonly string[]): Set<string> {
  return new Set(
    names.flatMap((name) => {
      const reading = readClassName(name);
      return reading.kind === 'name' ? [name, reading.name] : [name];
    }),
  );
}

/** Classes of these names that are names and nothing more. */
function bareClasses({ classes, synonyms }: CorpusState, names: ReadonlySet<string>): CorpusClass[] {
  const leant = new Set(synonyms.values());
  for (const { id, rootId, parentId } of classes.values()) {
    if (rootId !== id) leant.add(rootId);
    if (parentId !== null) leant.add(parentId);
  }
  return [...classes.values()].filter(
    ({ id, name, rootId, parentId, placed, description, synset }) =>
      names.has(name) &&
      rootId === id &&
      parentId === null &&
      !placed &&
      description === null &&
      synset === null &&
      !leant.has(id),
  );
}

/** The draft is guarded by the revision it was begun with; what is read here must be of that revision. */
async function refuseStale(session: Session, draft: Draft): Promise<void> {
  const { revision } = await session.freshDictionary();
  if (revision !== draft.dictionary.revision) throw new LabelsmithError('BUSY', 'The corpus was changed meanwhile');
}

function rowOf(entry: CorpusClass): ClassRow {
  return {
    id: entry.id,
    name: entry.name,
    root_id: entry.rootId,
    parent_id: entry.parentId,
    description: entry.description,
    synset: entry.synset,
    placed: Number(entry.placed),
  };
}

/** Rows that the operation left must be as it left them: only operations change them, and they are undone in turn. */
function refuseForeign(state: CorpusState, left: RowChanges): void {
  const now = changedRows(state, withRows(state, left));
  if (now.classes.length + now.synonyms.length === 0) return;
  throw new LabelsmithError('WORKSPACE', 'The corpus is not as its history says; nothing was undone.', {
    hint: 'Another program has written to the workspace. labelsmith doctor checks it.',
    details: { classes: now.classes.map(([id]) => id), synonyms: now.synonyms.map(([name]) => name) },
  });
}
