/** The process that does a worker's shards, with the models of this machine. */
import { serveShards } from './serve-shards.ts';

serveShards();
