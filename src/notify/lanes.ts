import type { OutboxRow } from '../publish/store-port.ts';
import type { NotifierLimits } from './options.ts';

/**
 * The rows that wait to be sent, in a lane for each endpoint. Lanes take turns, one row each, and in a
 * lane the most urgent row comes first, then the one that is owed longest. So a device with a few zones is told of them at once,
 * also while a secondary is told of thousands, and nobody has to be ranked by hand.
 *
 * Endpoints that did not answer the last time come after all others and get half of the places, since
 * an answer takes milliseconds and its absence seconds.
 */
export interface Lanes {
  /** Rows that wait; those under way are not among them. */
  readonly waiting: number;
  /** These rows wait now, and no others, in the order in which they are to go out. */
  fill(rows: readonly OutboxRow[]): void;
  /** Takes out the row whose turn it is; undefined when nothing waits that may be sent now. */
  next(): OutboxRow | undefined;
  /** A row that was taken out is sent: it has a place of its endpoint until `ended`. */
  begun(row: OutboxRow): void;
  ended(row: OutboxRow, answered: boolean): void;
}

interface Lane {
  readonly endpoint: string;
  /** The first one last. */
  readonly rows: OutboxRow[];
}

interface UnderWay {
  places: number;
  /** Of these, those begun while the endpoint was silent. */
  readonly silent: Set<OutboxRow>;
}

/** Endpoints that are remembered as silent; when there are more, further ones count as answering. */
const SILENT_MAX = 10_000;

/** The limits may change while they are in use. */
export function createLanes(
  limits: Pick<NotifierLimits, 'inFlightMax' | 'inFlightPerEndpointMax'>,
): Lanes {
  const silent = new Set<string>();
  const underWay = new Map<string, UnderWay>();
  /** The turn in which each endpoint was last served: a lane that is filled anew keeps its place. */
  let servedAt = new Map<string, number>();
  let turn = 0;
  let waiting = 0;
  let silentUnderWay = 0;
  /** The lane whose turn it is first. */
  let lanes: Lane[] = [];
  let silentLanes: Lane[] = [];

  const isFull = ({ endpoint }: Lane): boolean =>
    (underWay.get(endpoint)?.places ?? 0) >= limits.inFlightPerEndpointMax;
  const takeFrom = (lane: Lane): OutboxRow | undefined => {
    turn += 1;
    waiting -= 1;
    servedAt.set(lane.endpoint, turn);
    return lane.rows.pop();
  };
  /** Looks at each lane once; those without a free place, or without rows afterwards, are few. */
  const takeTurn = (among: Lane[], isTheirs: (lane: Lane) => boolean): OutboxRow | undefined => {
    for (let looked = among.length; looked > 0; looked -= 1) {
      const lane = among.shift()!;
      if (!isTheirs(lane)) {
        silentLanes.push(lane);
        continue;
      }
      const row = isFull(lane) ? undefined : takeFrom(lane);
      if (lane.rows.length > 0) among.push(lane);
      if (row !== undefined) return row;
    }
    return undefined;
  };

  return {
    get waiting() {
      return waiting;
    },
    fill(rows) {
      const byEndpoint = new Map<string, OutboxRow[]>();
      for (const row of rows) {
        const endpoint = endpointOf(row);
        const lane = byEndpoint.get(endpoint);
        if (lane === undefined) byEndpoint.set(endpoint, [row]);
        else lane.push(row);
      }
      const turns = servedAt;
      servedAt = new Map();
      for (const endpoint of byEndpoint.keys()) servedAt.set(endpoint, turns.get(endpoint) ?? 0);
      waiting = rows.length;
      lanes = [...byEndpoint]
        .map(([endpoint, owed]) => ({ endpoint, rows: owed.reverse() }))
        .sort((a, b) => servedAt.get(a.endpoint)! - servedAt.get(b.endpoint)!);
      silentLanes = [];
    },
    next() {
      const row = takeTurn(lanes, ({ endpoint }) => !silent.has(endpoint));
      if (row !== undefined) return row;
      const hasRoom = silentUnderWay < Math.ceil(limits.inFlightMax / 2);
      return hasRoom ? takeTurn(silentLanes, () => true) : undefined;
    },
    begun(row) {
      const endpoint = endpointOf(row);
      const known = underWay.get(endpoint) ?? { places: 0, silent: new Set() };
      known.places += 1;
      underWay.set(endpoint, known);
      if (!silent.has(endpoint)) return;
      known.silent.add(row);
      silentUnderWay += 1;
    },
    ended(row, answered) {
      const endpoint = endpointOf(row);
      const known = underWay.get(endpoint)!;
      known.places -= 1;
      if (known.silent.delete(row)) silentUnderWay -= 1;
      if (known.places === 0) underWay.delete(endpoint);
      if (answered || silent.size >= SILENT_MAX) silent.delete(endpoint);
      else silent.add(endpoint);
    },
  };
}

function endpointOf({ address, port }: OutboxRow): string {
  return `${address} ${port}`;
}
