import { spawn } from 'node:child_process';

/** What the service manager is told, after sd_notify(3). Without one, nothing is done. */
export interface ServiceManager {
  /** The server answers, at the start or after a reload. */
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** Resolves when the manager has heard everything. */
  told(): Promise<void>;
}

export interface ServiceManagerLog {
  warn(details: object, message: string): void;
}

/** Messages that wait for the one before them. */
const WAITING_MAX = 16;
/** The manager answers within milliseconds; one that does not must not keep the server from stopping. */
const SENDING_MS_MAX = 5_000;
/** sd_watchdog_enabled(3): half of the time is recommended. */
const WATCHDOG_SHARE = 0.5;

/**
 * Talks to the service manager that started this process with NOTIFY_SOCKET. Node cannot open a
 * datagram socket of the Unix domain, so the program systemd-notify does it, which systemd brings;
 * the unit needs NotifyAccess=all for it. When it is missing, that is said once.
 *
 * Takes NOTIFY_SOCKET and the watchdog's variables out of `env`.
 */
export function openServiceManager(env: NodeJS.ProcessEnv, log: ServiceManagerLog): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!NOTIFY_SOCKET) return NO_MANAGER;

  const queue: (readonly string[])[] = [];
  let sending: Promise<void> | null = null;
  let hasComplained = false;
  const sendQueued = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const failure = await runNotify(NOTIFY_SOCKET, next);
      if (failure === null || hasComplained) continue;
      hasComplained = true;
      log.warn({ failure }, 'the service manager could not be told');
    }
    sending = null;
  };
  const send = (variables: readonly string[]): void => {
    // The newest takes the place of the one before it: what the manager hears last is how it is.
    if (queue.length >= WAITING_MAX) queue.pop();
    queue.push(variables);
    sending ??= sendQueued();
  };

  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const watchdogMs = isForUs ? (Number(WATCHDOG_USEC ?? 0) / 1_000) * WATCHDOG_SHARE : 0;
  // A timer runs only while the event loop turns, which is what the watchdog is to find out.
  const ping = (): void => {
    if (sending === null) send(['WATCHDOG=1']);
  };
  if (watchdogMs > 0) setInterval(ping, watchdogMs).unref();

  return {
    ready: (status) => send(['READY=1', `STATUS=${status}`]),
    // Type=notify-reload wants the time beside it, so that it knows which of two reloads is meant.
    reloading: () => send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`]),
    stopping: () => send(['STOPPING=1', 'STATUS=stopping']),
    told: () => sending ?? Promise.resolve(),
  };
}

const NO_MANAGER: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  told: () => Promise.resolve(),
};

/** Resolves with what went wrong, or null. */
function runNotify(socket: string, variables: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const notStarted = (error: unknown): void =>
      resolve(`systemd-notify cannot be run: ${error instanceof Error ? error.message : error}`);
    try {
      const child = spawn('systemd-notify', variables, {
        env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket },
        stdio: 'ignore',
        timeout: SENDING_MS_MAX,
      });
      child.on('error', notStarted);
      child.once('exit', (code, signal) =>
        resolve(code === 0 ? null : `systemd-notify ended with ${code ?? signal}`),
      );
    } catch (error) {
      // Some failures are thrown, want of memory among them, and must not end the server.
      notStarted(error);
    }
  });
}
