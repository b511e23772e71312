/** Work that is done as far as it can be told what it would do, and then taken back by failing: nothing of it stays. */
export class Rehearsed<Summary> extends Error {
  override readonly name = 'Rehearsed';
  readonly summary: Summary;

  constructor(summary: Summary) {
    super('a rehearsal ended');
    this.summary = summary;
  }
}
