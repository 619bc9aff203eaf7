import { join } from 'node:path';
import { startDrainer } from '../../../scripts/bench/drain/start-drainer.ts';
import { freshNames, generateRules } from '../../../scripts/bench/generate.ts';
import { publishChange } from '../../../scripts/bench/publish-change.ts';
import { type SluiceServer, startSluice } from '../../../scripts/bench/servers.ts';
import { startPush } from '../../../scripts/bench/yardstick/start-plain-node.ts';
import { TRANSFER_PIECE_OCTETS } from '../../../src/nameserver/handler-port.ts';
import { ratioOf } from './ratio.ts';

const RULES = 100_000;
const CHANGES = 1_000;
const FEW_CHANGES = 10;
const WARMUP_TRANSFERS = 3;

/** A zone that is served by Sluice, and what its figures are held against. */
export interface GuardStage {
  /** A warm transfer, and plain Node that pushes the same octets to the same client. */
  transferRatio(): Promise<number>;
  /** A change of the zone, and the same change of a zone with a tenth of its rules. */
  publishRatio(): Promise<number>;
  /** A change of a few names until it is served, and a question of the admin API. */
  changeRatio(): Promise<number>;
  stop(): Promise<void>;
}

export async function startGuardStage(folder: string): Promise<GuardStage> {
  const drainer = startDrainer();
  const large = await startSluice(join(folder, 'large'), generateRules(RULES));
  const small = await startSluice(join(folder, 'small'), generateRules(RULES / 10));
  let fresh = 0;
  const publish = async (server: SluiceServer, count: number) =>
    (await publishChange(server, { add: freshNames(count, fresh++) })).ms;
  const ask = async ({ api }: SluiceServer) => {
    const start = performance.now();
    await api('GET', '/policies?limit=1');
    return performance.now() - start;
  };
  return {
    async transferRatio() {
      const captured = join(folder, 'octets');
      for (let index = 0; index < WARMUP_TRANSFERS; index++) await drainer.drain(large);
      await drainer.drain(large, { captureTo: captured });
      const push = await startPush(captured, TRANSFER_PIECE_OCTETS, large.zone);
      const drainMs = async (server: typeof push) => (await drainer.drain(server)).ms;
      const given = { rounds: 31, warmup: 10 };
      const ratio = await ratioOf(
        given,
        () => drainMs(large),
        () => drainMs(push),
      );
      await push.stop();
      return ratio;
    },
    publishRatio: () =>
      ratioOf(
        { rounds: 9, warmup: 5 },
        () => publish(large, CHANGES),
        () => publish(small, CHANGES),
      ),
    changeRatio: () =>
      ratioOf(
        { rounds: 31, warmup: 30 },
        () => publish(large, FEW_CHANGES),
        () => ask(large),
      ),
    stop: async () => {
      await Promise.all([large.stop(), small.stop(), drainer.stop()]);
    },
  };
}
