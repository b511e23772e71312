/** What came of shards that other processes did, until it is committed, and shards that were given up. */
export const shardResults = `
CREATE TABLE shard_result (
  run_key integer NOT NULL REFERENCES run,
  shard text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('done', 'dead')),
  items integer NOT NULL,
  data bytea NOT NULL,
  worker text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_key, shard)
);
ALTER TABLE shard_result ALTER COLUMN data SET STORAGE EXTERNAL;
`;
