/** One training of `training-memory`: prints what it took. */
import { InferencePool } from '../src/onnx/pool.ts';
import type { StepMemory } from './training-memory.ts';
import { NETWORKS, networkOf, SIDE, stepTime, THREADS } from './training-step.ts';

const [wanted, how] = process.argv.slice(2);
const name = NETWORKS.find((one) => one === wanted);
if (!name || !(how === 'kept' || how === 'again')) throw new Error(`a network and kept or again, not ${wanted} ${how}`);
const pool = await InferencePool.create({ threads: THREADS });
const { network, pixels } = await networkOf(name);
const beforeBytes = process.memoryUsage.rss();
const keptBytes = how === 'kept' ? Number.POSITIVE_INFINITY : 0;
const time = await stepTime(pool, network, { pixels, side: SIDE, keptBytes });
await pool.close();
const found: StepMemory = { ...time, beforeBytes, peakBytes: process.resourceUsage().maxRSS * 1024 };
process.stdout.write(JSON.stringify(found));
