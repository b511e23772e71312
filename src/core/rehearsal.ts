/** Work that is done as far as it can be told what it would do, and then taken back by failing: nothing of it stays. */
export class Rehearsed<Summary> extends Error {
  override readonly name = 'Rehearsed';
  readonly summary: Summary;

  constructor(summary: Summary) {
    super('a rehearsal ended');
    this.summary = summary;
  }
}

/** Does `work` in a transaction that is taken back, for which others who write wait; gives what it came to. */
export async function rehearse<Within, Summary>(
  store: { atomically(work: (within: Within) => Promise<never>): Promise<never> },
  work: (within: Within) => Promise<Summary>,
): Promise<Summary> {
  try {
    return await store.atomically(async (within) => {
      throw new Rehearsed(await work(within));
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.summary as Summary;
    throw error;
  }
}
