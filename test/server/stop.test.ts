import { describe, expect, it } from 'vitest';
import { startDnsServer } from '../../src/server/index.ts';
import { echo, framed, query, scene, testStream, until } from './scene.ts';

const SIZE = 16_000;

describe('stopping the server', () => {
  it('gives the ports back, and asked twice is done once', async () => {
    const { server, address, port, udp } = await scene(echo());
    await udp(query(1));
    const stopping = server.stop({ deadlineMs: 1_000 });
    expect(server.stop({ deadlineMs: 5 })).toBe(stopping);
    await stopping;
    const again = await startDnsServer({ listen: [{ address, port }] }, echo(), {
      warn: () => {},
      error: () => {},
    });
    expect(again.addresses()).toEqual([{ address, port }]);
    await again.stop({ deadlineMs: 0 });
  });

  it('finishes transfers that run, takes no new query, and closes connections', async () => {
    let asked = 0;
    const stream = testStream(1, 2_000, SIZE);
    const { server, tcp } = await scene(() => {
      asked += 1;
      return stream.answer;
    });
    const client = await tcp();
    const idle = await tcp();
    client.socket.pause();
    client.send(framed(query(1)));
    await until(() => stream.filled() > 0);
    const stopped = server.stop({ deadlineMs: 10_000 });
    client.send(framed(query(2)));
    client.socket.resume();
    expect(await client.closed()).toHaveLength(2_000);
    await idle.closed();
    await stopped;
    expect(stream.outcomes).toMatchObject([{ completed: true }]);
    expect(asked).toBe(1);
  });

  it('cuts at the deadline what is not done', async () => {
    const stream = testStream(1, 4_000, SIZE);
    const { server, tcp } = await scene(() => stream.answer);
    const client = await tcp();
    client.socket.pause();
    client.send(framed(query(1)));
    await until(() => stream.filled() > 0);
    const start = performance.now();
    await server.stop({ deadlineMs: 200 });
    expect(performance.now() - start).toBeGreaterThan(150);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(stream.outcomes).toMatchObject([{ completed: false }]);
    expect(server.statistics()).toMatchObject({ tcpConnectionsOpen: 0, transfersRunning: 0 });
  });
});
