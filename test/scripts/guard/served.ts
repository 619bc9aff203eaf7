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
const WARMUP_TRANSFERS = 3;

/** A zone that is served by Sluice, and what its figures are held against. */
export interface GuardStage {
  /** A warm transfer, and plain Node that pushes the same octets to the same client. */
  transferRatio(): Promise<number>;
  /** A change of the zone, and the same change of a zone with a tenth of its rules. */
  publishRatio(): Promise<number>;
  stop(): Promise<void>;
}

export async function startGuardStage(folder: string): Promise<GuardStage> {
  const drainer = startDrainer();
  const large = await startSluice(join(folder, 'large'), generateRules(RULES));
  const small = await startSluice(join(folder, 'small'), generateRules(RULES / 10));
  let fresh = 0;
  const publish = async (server: SluiceServer) =>
    (await publishChange(server, { add: freshNames(CHANGES, fresh++) })).ms;
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
        () => publish(large),
        () => publish(small),
      ),
    stop: async () => {
      await Promise.all([large.stop(), small.stop(), drainer.stop()]);
    },
  };
}
