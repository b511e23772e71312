/**
 * A driver whose transactions are parts of one that is under way: what they do is durable with it, or gone with it. Its reads
 * see what was done so far, which nobody else does.
 *
 * A part that fails takes the whole back, whatever its caller makes of the error: there are no savepoints.
 */
import type { SqlDriver, SqlTransaction } from './driver.ts';

/** @param outer the driver that `transaction` is of */
export function driverWithin(
  outer: SqlDriver,
  transaction: SqlTransaction,
): SqlDriver & { readonly failure: () => unknown } {
  /** Parts must not mix their statements; a part may read by way of the driver, so that reads wait for single steps alone. */
  const part = queue();
  const step = queue();
  let failure: { readonly error: unknown } | undefined;
  const inTurn: SqlTransaction = {
    // What was there when the part began is not committed: only the transaction itself sees it.
    before: (queries) => step(() => transaction.read(queries)),
    read: (queries) => step(() => transaction.read(queries)),
    add: (sql, row) => transaction.add(sql, row),
    changed: () => step(() => transaction.changed()),
  };
  return {
    db: outer.db,
    joinedHex: (columns) => outer.joinedHex(columns),
    joinedText: (column) => outer.joinedText(column),
    schemaVersion: outer.schemaVersion,
    read: inTurn.read,
    async analyse(query) {
      const [rows] = await inTurn.read([query]);
      return rows;
    },
    transaction: (work) =>
      part(async () => {
        try {
          // What the part before has changed is not this one's.
          await inTurn.changed();
          return await work(inTurn);
        } catch (error) {
          failure ??= { error };
          throw error;
        }
      }),
    continueNumbers: (within) => outer.continueNumbers(within),
    check: () => outer.check(),
    close: async () => {},
    failure: () => failure?.error,
  };
}

/** Runs one after the other what it is given. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}
