/** The engine of many machines for a workspace in PostgreSQL. */
import type { Device } from '../../onnx/device.ts';
import { localEngine } from '../local-engine.ts';
import { requireShared } from '../place.ts';
import { bossQueue } from './boss-queue.ts';
import { type FleetEngine, fleetEngine } from './fleet-engine.ts';

export function openFleetEngine(
  location: string,
  { device, priority }: { readonly device?: Device; readonly priority?: number },
): FleetEngine {
  requireShared(location);
  return fleetEngine({ local: localEngine({ device }), priority, openQueue: () => bossQueue({ location }) });
}
