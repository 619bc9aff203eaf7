import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseName } from '../../../src/dns/index.ts';
import { stopProcess } from '../processes.ts';
import type { Server } from '../server.ts';
import { signedTransferQuery, transferQuery } from '../transfer-query.ts';
import type { Drained, DrainTask } from './drain-once.ts';

export interface DrainOptions {
  /** 1 when not said. */
  readonly clients?: number;
  /** Asks for the changes since this serial. */
  readonly from?: number;
  /** Signs the question with the key of the server. */
  readonly isSigned?: boolean;
  readonly captureTo?: string;
}

/**
 * A client that takes transfers and only counts, in a process of its own, so that neither what the
 * benchmark itself does nor its garbage is measured.
 */
export interface Drainer {
  drain(server: Server, options?: DrainOptions): Promise<Drained>;
  stop(): Promise<void>;
}

type Reply = { readonly drained: Drained } | { readonly failure: string };

export function startDrainer(): Drainer {
  const child = fork(fileURLToPath(new URL('./drain-process.ts', import.meta.url)), {
    serialization: 'advanced',
  });
  return {
    stop: () => stopProcess(child),
    async drain(server, { clients = 1, from, isSigned = false, captureTo } = {}) {
      const question = isSigned
        ? signedTransferQuery(server, from)
        : { query: transferQuery(parseName(server.zone), from), tsigOctets: 0 };
      const { address, port } = server;
      const task: DrainTask = {
        server: { address, port },
        clients,
        ...question,
        ...(captureTo === undefined ? {} : { captureTo }),
      };
      const reply = once(child, 'message') as Promise<[Reply]>;
      child.send(task);
      const [answer] = await reply;
      if ('failure' in answer) throw new Error(`${server.name}: ${answer.failure}`);
      if (isSigned && answer.drained.signed === 0)
        throw new Error(`${server.name} answers a signed question without a signature`);
      return answer.drained;
    },
  };
}
