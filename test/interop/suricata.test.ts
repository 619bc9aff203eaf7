import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, keepPeersTidy, makePeerFolder } from './peers/index.ts';
import { openPolicyDrill } from './policy-drill.ts';
import { type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

const run = promisify(execFile);
const SEED = 20_412;
/** Enough to load rules by; without a configuration Suricata looks for one of the system's. */
const CONFIGURATION = [
  '%YAML 1.1',
  '---',
  'vars: { address-groups: { HOME_NET: "any", EXTERNAL_NET: "any" } }',
  'app-layer: { protocols: { dns: { udp: { enabled: yes }, tcp: { enabled: yes } } } }',
  '',
].join('\n');

// Debian 12 has no package of it, so unlike other peers it may be missing anywhere.
describe.skipIf(findProgram('suricata') === null)('Suricata', () => {
  let stage: SluiceStage;
  let folder: string;

  beforeAll(async () => {
    stage = await startSluiceStage();
    folder = await makePeerFolder('suricata');
    await writeFile(join(folder, 'suricata.yaml'), CONFIGURATION);
  });
  afterAll(async () => {
    await stage?.stop();
  });

  async function load(rules: Buffer): Promise<string> {
    const path = join(folder, 'sluice.rules');
    await writeFile(path, rules);
    const args = ['-T', '-c', join(folder, 'suricata.yaml'), '-S', path, '-l', folder];
    const { stdout, stderr } = await run(findProgram('suricata')!, args);
    return stdout + stderr;
  }

  it('takes the rules of a DNS policy', async () => {
    const drill = await openPolicyDrill(stage, SEED);
    const path = `/policies/${drill.policyId}/exports/suricata`;
    for (const action of ['alert', 'drop']) {
      const output = await load(await stage.download(`${path}?action=${action}`));
      expect(output).not.toMatch(/error|warning/i);
    }
  });

  it('takes the rules of an IP policy', async () => {
    const { target } = await stage.call<{ target: { id: number } }>('POST', '/targets', {
      name: 'addresses',
    });
    const add = Array.from(
      { length: 2_000 },
      (_, index) => `198.18.${index >> 7}.${2 * (index & 127)}`,
    );
    await stage.call('PATCH', `/targets/${target.id}/indicators`, {
      add: [...add, '2001:db8::/48'],
    });
    const { policy } = await stage.call<{ policy: { id: number } }>(
      'POST',
      '/policies?confirm=true',
      { name: 'edge', type: 'ip', attachments: [{ kind: 'target', id: target.id }] },
    );
    const rules = await stage.download(`/policies/${policy.id}/exports/suricata`);
    expect(await load(rules)).not.toMatch(/error|warning/i);
  });
});
