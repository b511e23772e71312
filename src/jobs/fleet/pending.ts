/** A shard that was planned and is not committed yet. */
export interface Pending<Shard> {
  readonly number: string;
  readonly shard: Shard;
  /** In the queue; empty until it was sent. */
  id: string;
  sentAtMs: number;
  /** In the queue a second time, for whoever is quicker; empty where it is not. */
  secondId: string;
  isSentTwice: boolean;
  /** How often its workers were lost until the queue gave it up. */
  losses: number;
  /** Length of its input. */
  bytes: number;
}

export function pendingOf<Shard>(number: string, shard: Shard): Pending<Shard> {
  return { number, shard, id: '', sentAtMs: 0, secondId: '', isSentTwice: false, losses: 0, bytes: 0 };
}
