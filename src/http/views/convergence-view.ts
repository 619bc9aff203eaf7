import { type Static, Type } from 'typebox';
import { BEHIND_REASONS } from '../../publish/behind-reason.ts';
import type { ZoneConvergence } from '../../publish/convergence.ts';
import type { DeviceZoneStatus } from '../../publish/store-port.ts';
import { isoTime, NamedSchema, nullable } from './common.ts';
import { SerialSchema } from './zone-view.ts';

const TimeSchema = Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] });
const EventSchema = { serial: SerialSchema, at: TimeSchema };
const AddressedEventSchema = { ...EventSchema, address: nullable(Type.String()) };

export const StatusSchema = Type.Object({
  zone: Type.String({ examples: ['rpz.corp.acme.sluice.internal.'] }),
  serial: Type.Integer({ description: 'Served now.', examples: [1896091200] }),
  expected: Type.Boolean({
    description:
      'Whether the device is to hold the zone: of the zones of its policy and its own, those that it follows; of a secondary all.',
  }),
  holds: nullable(
    Type.Object(
      {
        ...EventSchema,
        by: Type.Enum(['transfer', 'question'], {
          description:
            'A completed transfer, or the serial in its own IXFR question, which may be the older one.',
        }),
      },
      { description: 'The serial that it last proved to hold; null when it has proved none.' },
    ),
  ),
  judgedBy: Type.Enum(['held', 'polled'], {
    description:
      'Whether it is judged by the serial that it holds, or by the one that it last asked for: a device that reads an IP zone by ordinary queries proves no more.',
  }),
  lagSerials: Type.Integer({
    minimum: 0,
    description: 'Revisions between that serial and the one that is served.',
  }),
  lagAtLeast: Type.Boolean({
    description: 'Whether it is more than that: history does not reach back to its serial.',
  }),
  lagSeconds: Type.Integer({
    minimum: 0,
    description: 'Since the first serial that it lacks was published.',
  }),
  converged: Type.Boolean({ description: 'Whether it has the serial that is served.' }),
  behind: nullable(
    Type.Object(
      {
        reason: Type.Enum([...BEHIND_REASONS]),
        detail: Type.String({
          examples: ['It acknowledged no NOTIFY; 192.0.2.53 port 53: no answer.'],
        }),
      },
      { description: 'The likely reason, when it is behind for longer than expected.' },
    ),
  ),
  notified: nullable(
    Type.Object(AddressedEventSchema, { description: 'The last NOTIFY that it acknowledged.' }),
  ),
  notifyProblem: nullable(
    Type.Object(
      {
        problem: Type.String({ examples: ['no answer'] }),
        at: TimeSchema,
        endpoint: Type.String(),
      },
      { description: 'What came of the last NOTIFY instead; null since one was acknowledged.' },
    ),
  ),
  polled: nullable(Type.Object(AddressedEventSchema, { description: 'Its last SOA query.' })),
  transferred: nullable(
    Type.Object({
      ...AddressedEventSchema,
      kind: nullable(Type.Enum(['AXFR', 'IXFR'])),
      bytes: nullable(Type.Integer()),
    }),
  ),
  cut: nullable(
    Type.Object(AddressedEventSchema, {
      description:
        'Its last transfer, when that ended before all was sent; null since one was completed.',
    }),
  ),
});

/** One device and one zone, in a list of all. */
export const ConvergenceSchema = Type.Object({ device: NamedSchema, ...StatusSchema.properties });

/** `now` in Unix milliseconds. */
export function statusView(zone: ZoneConvergence, now: number): Static<typeof StatusSchema> {
  const { origin, serial, expected, judgedBy, lag, converged, behind, row } = zone;
  return {
    zone: origin,
    serial,
    expected,
    holds: holdsView(row),
    judgedBy,
    lagSerials: lag.serials,
    lagAtLeast: lag.isLowerBound,
    lagSeconds: lagSeconds(zone, now),
    converged,
    behind: behind === null ? null : { reason: behind.reason, detail: behind.detail },
    notified: eventView(row?.notifiedSerial, row?.notifiedAt, row?.notifiedAddress),
    notifyProblem: problemView(row),
    polled: eventView(row?.polledSerial, row?.polledAt, row?.polledAddress),
    transferred: transferView(row),
    cut: eventView(row?.cutSerial, row?.cutAt, row?.cutAddress),
  };
}

export function convergenceView(
  zone: ZoneConvergence,
  now: number,
): Static<typeof ConvergenceSchema> {
  const { id, name } = zone.device;
  return { device: { id, name }, ...statusView(zone, now) };
}

export function lagSeconds({ lag: { since } }: ZoneConvergence, now: number): number {
  return since === null ? 0 : Math.max(0, Math.floor((now - since) / 1000));
}

type Row = DeviceZoneStatus | undefined;

function holdsView(row: Row): Static<typeof StatusSchema>['holds'] {
  const { heldSerial, heldAt, transferredAt } = row ?? {};
  if (heldSerial == null || heldAt == null) return null;
  const by = heldAt === transferredAt ? 'transfer' : 'question';
  return { serial: heldSerial, at: isoTime(heldAt), by };
}

function problemView(row: Row): Static<typeof StatusSchema>['notifyProblem'] {
  const { notifyProblem, notifyProblemAt, notifyProblemAddress } = row ?? {};
  if (notifyProblem == null || notifyProblemAt == null) return null;
  const endpoint = notifyProblemAddress ?? '';
  return { problem: notifyProblem, at: isoTime(notifyProblemAt), endpoint };
}

type Maybe<Value> = Value | null | undefined;

function eventView(serial: Maybe<number>, at: Maybe<number>, address: Maybe<string>) {
  return serial == null || at == null
    ? null
    : { serial, at: isoTime(at), address: address ?? null };
}

function transferView(row: Row): Static<typeof StatusSchema>['transferred'] {
  const event = eventView(row?.transferredSerial, row?.transferredAt, row?.transferredAddress);
  const { transferKind = null, transferBytes = null } = row ?? {};
  return event && { ...event, kind: transferKind, bytes: transferBytes };
}
