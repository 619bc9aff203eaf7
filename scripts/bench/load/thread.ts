import { Worker } from 'node:worker_threads';

/** A thread of clients: it is told once to stop, and answers with what it has seen. */
export interface ClientThread<Stop, Outcome> {
  stop(message: Stop): Promise<Outcome>;
}

/** Starts a thread from a file in this folder. It may take so long to end, and is ended then. */
export function startThread<Task, Stop, Outcome>(
  file: string,
  task: Task,
  stopTimeoutMs: number,
): ClientThread<Stop, Outcome> {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: task });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`${file} ended without an outcome`)));
  });
  // It is asked for at the end only; what goes wrong before must not go unseen, nor unhandled.
  outcome.catch((error: unknown) => process.stderr.write(`${file}: ${String(error)}\n`));
  return {
    async stop(message) {
      worker.postMessage(message);
      const timer = setTimeout(() => void worker.terminate(), stopTimeoutMs);
      try {
        return await outcome;
      } finally {
        clearTimeout(timer);
        await worker.terminate();
      }
    },
  };
}
