/** The engine of many machines for a workspace in PostgreSQL. */
import { LabelsmithError } from '../../errors.ts';
import type { Device } from '../../onnx/device.ts';
import { localEngine } from '../local-engine.ts';
import { placeOfWorkspace } from '../place.ts';
import { bossQueue } from './boss-queue.ts';
import { type FleetEngine, fleetEngine } from './fleet-engine.ts';

export function openFleetEngine(
  location: string,
  { device, priority }: { readonly device?: Device; readonly priority?: number },
): FleetEngine {
  if (!placeOfWorkspace(location).isShared) {
    throw new LabelsmithError('USAGE', 'Only a workspace in PostgreSQL is worked on by many machines.', {
      hint: 'Copy it there: labelsmith workspace copy .labelsmith postgres://… --blobs PLACE.',
    });
  }
  return fleetEngine({ local: localEngine({ device }), priority, openQueue: () => bossQueue({ location }) });
}
