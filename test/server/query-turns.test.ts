import { describe, expect, it } from 'vitest';
import { echo, framed, idOf, query, scene, until } from './scene.ts';

/** Asks so much at once that it is many turns. */
const FLOOD = 20_000;

describe('a connection that pipelines queries without end', () => {
  it('gets all its answers, in turns', async () => {
    const { tcp, server } = await scene(echo());
    const client = await tcp();
    const ids = Array.from({ length: FLOOD }, (_, i) => i & 0xffff);
    client.send(framed(...ids.map((id) => query(id))));
    expect((await client.messages(FLOOD)).map(idOf)).toEqual(ids);
    expect(server.statistics().tcpTurnsPutOff).toBeGreaterThan(10);
  });

  it('and then closes its side gets them too', async () => {
    const { tcp } = await scene(echo());
    const client = await tcp();
    client.send(framed(...Array.from({ length: FLOOD }, (_, i) => query(i))));
    client.socket.end();
    expect(await client.closed()).toHaveLength(FLOOD);
  });

  it('that is reset while it waits for its turn is forgotten', async () => {
    let asked = 0;
    const { tcp, server } = await scene((octets, peer) => {
      asked += 1;
      const until = performance.now() + 0.2;
      while (performance.now() < until);
      return echo()(octets, peer);
    });
    const client = await tcp();
    client.send(framed(...Array.from({ length: FLOOD }, (_, i) => query(i))));
    await until(() => asked > 0);
    client.socket.resetAndDestroy();
    await until(() => server.statistics().tcpConnectionsOpen === 0);
    expect(asked).toBeLessThan(FLOOD);
  });

  it('does not keep others waiting, and neither do many of its kind', async () => {
    const FLOODS = 8;
    const FLOOD_ID = 60_000;
    let flooded = 0;
    let before = 0;
    const overtaken: number[] = [];
    const single = echo();
    const { tcp, udp } = await scene((octets, peer) => {
      if (idOf(octets) === FLOOD_ID) flooded += 1;
      else overtaken.push(flooded - before);
      return single(octets, peer);
    });
    const octets = framed(...new Array(FLOOD).fill(query(FLOOD_ID)));
    const floods = await Promise.all(Array.from({ length: FLOODS }, () => tcp()));
    for (const client of floods) client.send(octets);
    const modest = await tcp();
    await until(() => flooded > 0);
    for (let i = 0; flooded < (FLOODS * FLOOD) / 2; i += 1) {
      before = flooded;
      modest.send(framed(query(i)));
      await modest.message();
      before = flooded;
      await udp(query(i));
    }
    overtaken.sort((a, b) => a - b);
    // With no turns, the first of them waits for most of all the floods.
    expect(overtaken[overtaken.length >> 1]).toBeLessThan((FLOODS * FLOOD) / 8);
  });
});
