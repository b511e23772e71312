/** What came of shards that other processes did, until it is committed, and shards that were given up. */
export const shardResults = `
CREATE TABLE shard_result (
  run_key INTEGER NOT NULL REFERENCES run,
  shard TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'dead')),
  items INTEGER NOT NULL,
  data BLOB NOT NULL,
  worker TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run_key, shard)
) STRICT;
`;
