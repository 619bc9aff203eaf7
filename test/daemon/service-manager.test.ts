import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openServiceManager } from '../../src/service-manager.ts';
import { requirePeer } from '../interop/peers/index.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';
import { startDaemon } from './daemon.ts';

/**
 * The side of the service manager of sd_notify(3): a datagram socket of the Unix domain. Whoever
 * sends waits until the descriptor of the barrier message is closed, so it is closed.
 */
const FAKE_MANAGER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 4096)
    for level, kind, octets in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = array.array("i")
            fds.frombytes(octets[:len(octets) - len(octets) % fds.itemsize])
            for fd in fds: os.close(fd)
    print(data.decode().replace("\\n", " "), flush=True)
`;

interface FakeManager {
  readonly socket: string;
  /** Messages but those of the barrier and the watchdog; variables with a space between. */
  messages(): readonly string[];
  pings(): number;
}

async function startManager(): Promise<FakeManager> {
  const socket = join(temporaryDirectory(), 'notify');
  const child = spawn('python3', ['-c', FAKE_MANAGER, socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data');
  const all = () => output.trim().split('\n').slice(1);
  return {
    socket,
    messages: () => all().filter((line) => !/^(BARRIER|WATCHDOG)=1$/.test(line)),
    pings: () => all().filter((line) => line === 'WATCHDOG=1').length,
  };
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${isSo}`);
    await wait(20);
  }
}

describe.skipIf(!requirePeer('systemd-notify', 'python3'))('the service manager', () => {
  it('hears of the start, of a reload with its time, and of the stop, in this order', async () => {
    const manager = await startManager();
    const daemon = await startDaemon({ env: { NOTIFY_SOCKET: manager.socket } });
    await daemon.started;
    await until(() => manager.messages().length === 1);
    expect(manager.messages()).toEqual([
      expect.stringMatching(/^READY=1 STATUS=serving \d+ zones$/),
    ]);

    daemon.signal('SIGHUP');
    await until(() => manager.messages().length === 3);
    expect(manager.messages()[1]).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
    // CLOCK_MONOTONIC in microseconds, by which the manager tells reloads apart.
    const told = Number(/\d+$/.exec(manager.messages()[1]!)![0]);
    const now = Number(process.hrtime.bigint() / 1_000n);
    expect(told).toBeLessThan(now);
    expect(told).toBeGreaterThan(now - 30_000_000);
    expect(manager.messages()[2]).toMatch(/^READY=1 STATUS=serving/);

    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(manager.messages()[3]).toBe('STOPPING=1 STATUS=stopping');
    expect(daemon.output()).not.toContain('could not be told');
  });

  it('is ready again after a reload that was refused', async () => {
    const manager = await startManager();
    const daemon = await startDaemon({ env: { NOTIFY_SOCKET: manager.socket } });
    await daemon.started;
    daemon.configure('log: {level: loud}');
    daemon.signal('SIGHUP');
    await until(() => manager.messages().length === 3);
    expect(manager.messages()[2]).toMatch(/^READY=1/);
  });

  it('gets a sign of life twice in the time of its watchdog', async () => {
    const manager = await startManager();
    const env = { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '1000000' };
    const daemon = await startDaemon({ env });
    await daemon.started;
    const [before, from] = [manager.pings(), performance.now()];
    await until(() => manager.pings() >= before + 4);
    const tookMs = performance.now() - from;
    expect(tookMs).toBeGreaterThan(1_000);
    expect(tookMs).toBeLessThan(8_000);
  });

  it('gets none when the watchdog is meant for another process', async () => {
    const manager = await startManager();
    const env = { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' };
    const daemon = await startDaemon({ env });
    await daemon.started;
    await wait(1_000);
    expect(manager.pings()).toBe(0);
  });

  it('hears last how it is, however many reloads there are at once', async () => {
    const manager = await startManager();
    const env = { NOTIFY_SOCKET: manager.socket };
    const client = openServiceManager(env, { warn: () => undefined });
    client.ready('started');
    for (let reload = 1; reload <= 50; reload += 1) {
      client.reloading();
      client.ready(`reload ${reload}`);
    }
    await client.told();
    expect(manager.messages().length).toBeLessThan(20);
    expect(manager.messages().at(-1)).toBe('READY=1 STATUS=reload 50');
  });

  it('may be told what nothing can be started with, and is told what comes next', async () => {
    const manager = await startManager();
    const warnings: object[] = [];
    const log = { warn: (details: object) => warnings.push(details) };
    const client = openServiceManager({ NOTIFY_SOCKET: manager.socket }, log);
    client.ready('an argument of a program has no \0 in it');
    client.stopping();
    await client.told();
    expect(warnings).toEqual([{ failure: expect.stringContaining('null bytes') }]);
    expect(manager.messages()).toEqual(['STOPPING=1 STATUS=stopping']);
  });

  it('is missed with one warning where the program that tells it is not there', async () => {
    const manager = await startManager();
    const env = {
      NOTIFY_SOCKET: manager.socket,
      PATH: temporaryDirectory(),
      WATCHDOG_USEC: '200000',
    };
    const daemon = await startDaemon({ env });
    await daemon.started;
    const warning = await daemon.record('the service manager could not be told');
    expect(warning).toMatchObject({
      level: 40,
      failure: expect.stringContaining('systemd-notify'),
    });
    await wait(1_000);
    daemon.signal('SIGTERM');
    expect((await daemon.exited).code).toBe(0);
    expect(daemon.records().filter(({ msg }) => msg === warning.msg)).toHaveLength(1);
    expect(manager.messages()).toEqual([]);
  });
});
