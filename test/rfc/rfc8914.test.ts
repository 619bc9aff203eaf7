import { describe, expect, it } from 'vitest';
import {
  EDNS_OPTION,
  EXTENDED_ERROR,
  ednsOption,
  type Message,
  RCODE,
} from '../../src/dns/index.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';
const edns = {};

async function openScene() {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

/** The info code of the extended error; null without one. */
function extendedError({ edns }: Message): number | null {
  const data = ednsOption(edns, EDNS_OPTION.EDE);
  return data === undefined ? null : (data[0] << 8) | data[1];
}

describe('RFC 8914 section 4.19: Prohibited', () => {
  it('goes with a refusal for want of a right', async () => {
    const house = await openScene();
    for (const type of ['SOA', 'AXFR', 'IXFR'] as const) {
      const answer = house.ask(ZONE, type, { from: STRANGER, protocol: 'tcp', edns });
      expect(answer.rcode).toBe(RCODE.REFUSED);
      expect(extendedError(answer)).toBe(EXTENDED_ERROR.PROHIBITED);
    }
  });
});

describe('RFC 8914 section 4.21: Not Authoritative', () => {
  it('goes with a refusal of names that are not ours', async () => {
    const house = await openScene();
    const answer = house.ask('www.example.', 'A', { edns });
    expect(answer.rcode).toBe(RCODE.REFUSED);
    expect(extendedError(answer)).toBe(EXTENDED_ERROR['NOT-AUTHORITATIVE']);
  });

  it('goes with a transfer of what is no zone', async () => {
    const house = await openScene();
    for (const name of [`evil.example.${ZONE}`, zoneName('rpz', 'other')]) {
      const answer = house.ask(name, 'AXFR', { protocol: 'tcp', edns });
      expect(answer.rcode).toBe(RCODE.NOTAUTH);
      expect(extendedError(answer)).toBe(EXTENDED_ERROR['NOT-AUTHORITATIVE']);
    }
  });
});

describe('RFC 8914 section 3: extended errors', () => {
  it('are for clients that sent EDNS, and for answers that have something to explain', async () => {
    const house = await openScene();
    expect(house.ask(ZONE, 'SOA', { from: STRANGER }).edns).toBeNull();
    expect(extendedError(house.ask(ZONE, 'SOA', { edns }))).toBeNull();
    expect(extendedError(house.ask(`good.example.${ZONE}`, 'A', { edns }))).toBeNull();
  });
});
