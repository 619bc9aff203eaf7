import { setImmediate } from 'node:timers/promises';
import { Type } from 'typebox';
import type { Device } from '../../policy/model.ts';
import { BEHIND_REASONS } from '../../publish/behind-reason.ts';
import type { ZoneConvergence } from '../../publish/convergence.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, cutPage, idQuery, listQuery, pageSchema } from '../page.ts';
import { answers } from '../views/common.ts';
import { ConvergenceSchema, convergenceView, lagSeconds } from '../views/convergence-view.ts';
import type { ApiApp } from './app-type.ts';

/** Devices, and of devices and zones, looked at before other requests and questions have their turn. */
const DEVICES_AT_ONCE = 100;
const PAIRS_AT_ONCE = 2_000;

const COLUMN_NAMES = ['device', 'zone', 'serial', 'lagSerials', 'lagSeconds', 'reason'] as const;

const ConvergenceQuery = Type.Object(
  {
    ...listQuery(COLUMN_NAMES),
    converged: Type.Optional(
      Type.Boolean({
        description: 'Only where the device has the serial that is served, or only where not.',
      }),
    ),
    behind: Type.Optional(
      Type.Boolean({
        description: 'Only where the device is behind for longer than expected, or only where not.',
      }),
    ),
    reason: Type.Optional(
      Type.Enum([...BEHIND_REASONS], { description: 'Only what is behind for this reason.' }),
    ),
    deviceId: idQuery('Only this device.'),
    zone: Type.Optional(
      Type.String({
        maxLength: 1_024,
        description: 'Only this zone, with or without its final dot.',
        examples: ['rpz.corp.acme.sluice.internal.'],
      }),
    ),
  },
  { additionalProperties: false },
);

export function registerConvergence(app: ApiApp, context: ApiContext): void {
  const { publisher, convergence, clock } = context.options;

  app.get(
    '/convergence',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        summary: 'List how far devices have come',
        description:
          'Each device with each zone that it is to hold: the serial that it holds, how far that is behind the one that is served, and where it is behind for longer than expected the likely reason.',
        querystring: ConvergenceQuery,
        response: answers(200, pageSchema(ConvergenceSchema)),
      },
    },
    async (request) => {
      const { accountId } = context.viewer(request);
      const { converged, behind, reason, deviceId, zone } = request.query;
      const origin = zone === undefined ? undefined : originOf(zone);
      const devices = [...publisher.model.devices.values()]
        .filter((device) => device.accountId === accountId)
        .filter((device) => deviceId === undefined || device.id === deviceId);
      const found: ZoneConvergence[] = [];
      const looked = { devices: 0, pairs: 0 };
      for (const device of devices) {
        if (looked.devices >= DEVICES_AT_ONCE || looked.pairs >= PAIRS_AT_ONCE) {
          await setImmediate();
          Object.assign(looked, { devices: 0, pairs: 0 });
        }
        const expected = convergence.expectedOf(device);
        looked.devices += 1;
        looked.pairs += expected.length;
        for (const each of expected) {
          if (converged !== undefined && each.converged !== converged) continue;
          if (behind !== undefined && (each.behind !== null) !== behind) continue;
          if (reason !== undefined && each.behind?.reason !== reason) continue;
          if (origin === undefined || each.origin === origin) found.push(each);
        }
      }
      const now = clock();
      return cutPage(found, request.query, {
        columns: columnsOf(now),
        searched: (each) => [each.device.name, each.device.description, each.origin],
        idOf: (each) => `${pad(each.device)} ${each.origin}`,
        sort: 'device',
        view: (each) => convergenceView(each, now),
      });
    },
  );
}

function columnsOf(now: number): Columns<ZoneConvergence> {
  return {
    device: ({ device }) => device.name,
    zone: ({ origin }) => origin,
    serial: ({ serial }) => serial,
    lagSerials: ({ lag }) => lag.serials,
    lagSeconds: (each) => lagSeconds(each, now),
    reason: ({ behind }) => behind?.reason ?? '',
  } satisfies Record<(typeof COLUMN_NAMES)[number], Columns<ZoneConvergence>[string]>;
}

/** So that texts stand in the order of the ids. */
function pad({ id }: Device): string {
  return String(id).padStart(12, '0');
}

function originOf(zone: string): string {
  const lower = zone.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}
