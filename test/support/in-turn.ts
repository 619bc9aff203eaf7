import type { OutboxRow } from '../../src/publish/store-port.ts';

/** The first row of each endpoint, then the second of each, and so on; rows of one endpoint keep their order. */
export function inTurn(rows: readonly OutboxRow[]): OutboxRow[] {
  const places = new Map<string, number>();
  const turns = rows.map((row) => {
    const endpoint = `${row.address} ${row.port}`;
    const turn = places.get(endpoint) ?? 0;
    places.set(endpoint, turn + 1);
    return { row, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ row }) => row);
}
