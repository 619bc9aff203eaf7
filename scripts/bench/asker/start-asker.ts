import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';
import type { Asked, AskTask } from './ask-steadily.ts';

export interface Asker {
  stop(): Promise<Asked[]>;
}

const PROGRAM = fileURLToPath(new URL('./asker-process.ts', import.meta.url));

/** Asks in a process of its own, so that the garbage of the benchmark is not measured. */
export async function startAsker(server: Server, perSecond: number): Promise<Asker> {
  const child = fork(PROGRAM, { serialization: 'advanced' });
  await once(child, 'message');
  const { address, port, zone } = server;
  child.send({ address, port, zone, perSecond } satisfies AskTask);
  return {
    async stop() {
      const reply = once(child, 'message') as Promise<[Asked[]]>;
      child.send('stop');
      const [asked] = await reply;
      await stopProcess(child);
      return asked;
    },
  };
}
