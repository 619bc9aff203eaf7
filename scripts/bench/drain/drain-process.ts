import { closeSync, openSync } from 'node:fs';
import { type DrainTask, drainOnce } from './drain-once.ts';

/** The client in a process of its own: it takes one transfer after the other, as it is told. */
process.on('message', (task: DrainTask) => {
  void take(task);
});
// It lives as long as the benchmark does.
process.once('disconnect', () => process.exit());

async function take(task: DrainTask): Promise<void> {
  const file = task.captureTo === undefined ? undefined : openSync(task.captureTo, 'w');
  try {
    process.send?.({ drained: await drainOnce(task, file) });
  } catch (error) {
    process.send?.({ failure: error instanceof Error ? error.message : String(error) });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
