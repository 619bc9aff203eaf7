import { createConvergence } from '../../src/publish/convergence.ts';
import type { Publisher } from '../../src/publish/publisher.ts';
import type { Refusal } from '../../src/publish/refusal-book.ts';
import type { DeviceZoneStatus } from '../../src/publish/store-port.ts';

export const EXPECTED_MS = 300_000;

/** What a test lets devices have done. */
export interface DeviceDeeds {
  readonly rows: DeviceZoneStatus[];
  /** By device. */
  readonly refusals: Map<number, Refusal[]>;
  isFollowed: (deviceId: number, origin: string) => boolean;
}

export function deviceDeeds(): DeviceDeeds {
  return { rows: [], refusals: new Map(), isFollowed: () => true };
}

/** The real convergence over what a test lets devices have done. */
export function convergenceOf(
  deeds: DeviceDeeds,
  { publisher, clock }: { readonly publisher: Publisher; readonly clock: () => number },
) {
  const { rows, refusals } = deeds;
  return createConvergence({
    state: () => publisher.state,
    status: {
      isFollowed: (deviceId, origin) => deeds.isFollowed(deviceId, origin),
      row: (deviceId, origin) =>
        rows.find((row) => row.deviceId === deviceId && row.origin === origin),
      ofDevice: (deviceId) => rows.filter((row) => row.deviceId === deviceId),
    },
    refusals: { ofDevice: (deviceId) => refusals.get(deviceId) ?? [] },
    clock,
    expectedMs: () => EXPECTED_MS,
  });
}
