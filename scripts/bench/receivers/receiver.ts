import type { Endpoint } from '../client.ts';

/** A resolver that enforces the zone of a primary. */
export interface Receiver extends Endpoint {
  /** When its process was started, by the clock of `performance`. */
  readonly startedAt: number;
  stop(): Promise<void>;
}

/** Starts one that listens at `own`, and keeps the zone in `folder`; returns without waiting for anything. */
export type StartReceiver = (given: {
  readonly own: Endpoint;
  readonly folder: string;
  readonly primary: Endpoint & { readonly zone: string };
  /** Where it resolves what no rule is for. */
  readonly upstream: Endpoint;
}) => Receiver;
