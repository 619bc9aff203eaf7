import { describe, expect, it } from 'vitest';
import { tcpClient } from '../server/tcp-client.ts';
import { makeCertificate } from '../support/certificate.ts';
import { servePolicy, startTestSluice } from '../support/test-sluice.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { beginSlowTransfer, manyLines, SLOW_RECORDS, type SlowTransfer } from './slow-transfer.ts';

/** A server with a transfer under way that its client does not read on with. */
async function withSlowTransfer(
  stopDeadline: string,
): Promise<{ readonly daemon: Daemon; readonly transfer: SlowTransfer }> {
  const daemon = await startDaemon({ yaml: `process: {stopDeadline: ${stopDeadline}}` });
  await daemon.started;
  const { zone } = await servePolicy(daemon, { name: 'slow', type: 'dns', lines: [manyLines()] });
  return { daemon, transfer: await beginSlowTransfer(daemon.dns, zone) };
}

async function untilNobodyListens({ dns }: Daemon): Promise<void> {
  for (;;) {
    try {
      const client = await tcpClient(dns);
      client.destroy();
    } catch (error) {
      expect(String(error)).toMatch(/ECONNREFUSED|ECONNRESET/);
      return;
    }
  }
}

describe('a server that is asked to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s takes no more connections, finishes its transfers and ends well',
    async (signal) => {
      const { daemon, transfer } = await withSlowTransfer('10m');
      daemon.signal(signal);
      expect(await daemon.record('stopping')).toMatchObject({ signal });
      await untilNobodyListens(daemon);
      expect(await transfer.finish()).toBe(SLOW_RECORDS);
      expect(await daemon.exited).toEqual({ code: 0, signal: null });
      expect(await daemon.record('transferred')).toMatchObject({ completed: true });
    },
  );

  it('cuts at the deadline what is not finished, and says so', async () => {
    const { daemon, transfer } = await withSlowTransfer('1s');
    const from = performance.now();
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    const tookMs = performance.now() - from;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(60_000);
    await expect(transfer.finish()).rejects.toThrow('connection closed');
    expect(await daemon.record('transferred')).toMatchObject({ completed: false });
  });

  it('stops at once by a second signal, with an exit code that is not zero', async () => {
    const { daemon, transfer } = await withSlowTransfer('10m');
    daemon.signal('SIGTERM');
    await daemon.record('stopping');
    await untilNobodyListens(daemon);
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 130, signal: null });
    expect(await daemon.record('stopped at once, by a second signal')).toMatchObject({
      level: 40,
      exitCode: 130,
    });
    await expect(transfer.finish()).rejects.toThrow('connection closed');
  });

  it('stops at once when no transfer runs, whatever the deadline is', async () => {
    const daemon = await startDaemon({ yaml: 'process: {stopDeadline: 10m}' });
    await daemon.started;
    // A connection on which nothing is asked is not waited for.
    const idle = await tcpClient(daemon.dns);
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(await idle.closed()).toEqual([]);
  });

  it('does not wait for clients of the API that leave a request unfinished', async () => {
    const daemon = await startDaemon();
    await daemon.started;
    const header = await tcpClient(daemon.http);
    header.socket.write('GET /api/v1/zones HTTP/1.1\r\n');
    const body = await tcpClient(daemon.http);
    body.socket.write('POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{');
    await stopsWithin(daemon, STUCK_STOP_MS);
  });

  it('does not wait for clients of the API that leave a handshake unfinished', async () => {
    const { certificateFile, keyFile } = makeCertificate('localhost');
    const tls = `{certificateFile: ${certificateFile}, keyFile: ${keyFile}}`;
    const { http, stop } = await startTestSluice({
      yaml: `sampleCatalogue: false\nhttp: {tls: ${tls}}`,
    });
    const silent = await tcpClient(http);
    const from = performance.now();
    await stop();
    expect(performance.now() - from).toBeLessThan(STUCK_STOP_MS);
    expect(await silent.closed()).toEqual([]);
  });
});

/** Far below any time-out that a client could be waited for. */
const STUCK_STOP_MS = 20_000;

async function stopsWithin(daemon: Daemon, ms: number): Promise<void> {
  const from = performance.now();
  daemon.signal('SIGTERM');
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - from).toBeLessThan(ms);
}
