/** The process that does a worker's shards, with models made by code. Its environment says where their files are. */
import { serveShards } from '../../src/stages/worker/serve-shards.ts';
import { colourModels } from '../contracts/stage/models.ts';

serveShards({ models: colourModels(process.env.LABELSMITH_TEST_CACHE ?? '') });
