import type { TsigKey } from '../../src/dns/index.ts';
import type { Endpoint } from './client.ts';

/** A server under test with the benchmark's zone. */
export interface Server extends Endpoint {
  readonly name: string;
  readonly zone: string;
  readonly pid: number;
  /** From the start of the process until the zone is answered. */
  readonly startMs: number;
  /** A key that it lets transfers be signed with. */
  readonly tsigKey?: TsigKey;
  stop(): Promise<void>;
}
