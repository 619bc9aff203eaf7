import { describe, expect, it } from 'vitest';
import { formatName, isMalformed, readMessage } from '../../src/dns/index.ts';
import { Catalogue } from '../../src/indicators/catalogue.ts';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import { packIndicators } from '../../src/indicators/pack-indicators.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { readIndicatorLines } from '../../src/indicators/read-lines.ts';
import type { MemberSets } from '../../src/policy/member-sets.ts';
import type { Member } from '../../src/policy/members.ts';
import type { TargetId } from '../../src/policy/model.ts';
import { actionOf, createVerdicts } from '../../src/policy/verdicts.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { createActionTable } from '../../src/zone/action-table.ts';
import { compileIp, IP_ACTION } from '../../src/zone/ip-compile.ts';
import { encodeRevision } from '../../src/zone/revision-codec.ts';
import { compileRpz } from '../../src/zone/rpz-compile.ts';
import { belowAction, selfAction, stateAt } from '../../src/zone/rpz-content.ts';
import { encodeRules, RPZ_START } from '../../src/zone/rpz-encode.ts';
import { createRpzRendering } from '../../src/zone/rpz-rendering.ts';
import { makeQuery } from '../support/dns-query.ts';
import { collectMessages, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';

/**
 * The tour: one line of a feed followed through the rooms to its octets on the wire. Read it from
 * top to bottom; each stop shows what the value is there, and names the file that made it so. What
 * resolvers do with the record is shown with real ones, in test/interop/.
 */

/** In a feed. People write names as they like. */
const LINE = 'Evil.EXAMPLE.   # seen in a phishing mail';

const PARSE = { ownerOctetsMax: 159, isPublicSuffix: () => false };
/** CNAME, IN, TTL 60, one octet of rdata: the root, which RPZ reads as NXDOMAIN. */
const TAIL = '0005 0001 0000003c 0001 00'.replaceAll(' ', '');
/** Counts of the authority and additional sections. */
const NO_MORE = '00000000';
const EVIL_EXAMPLE = '046576696c076578616d706c65';
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

// What the stops hand on to each other.
const parsed = parseIndicator('Evil.EXAMPLE.', PARSE);
const indicators = parsed.ok ? parsed.indicators : [];
const catalogue = new Catalogue();
const ids = catalogue.intern(packIndicators(indicators));
const [id] = ids.subtree;

describe('indicators/: a line becomes an indicator', () => {
  it('parse-indicator.ts: a kind, and a key in wire form, lower case, without root', () => {
    expect(indicators).toEqual([{ kind: 'name', key: expect.any(Uint8Array) }]);
    expect(hex(indicators[0].key)).toBe(EVIL_EXAMPLE);
  });

  it('read-lines.ts: a million of them are packed into three buffers and cross a thread as such', () => {
    const { packed, lines, rejected } = readIndicatorLines(Buffer.from(`${LINE}\nnot a name\n`), {
      ...PARSE,
      rejectionsShown: 10,
    });
    expect([lines, rejected]).toEqual([2, 1]);
    expect(packed.count).toBe(1);
    expect(packed.keys.subarray(0, packed.ends[0])).toEqual(indicators[0].key);
  });

  it('catalogue.ts: an owner has one id in the whole system, and so has the node above it', () => {
    const above = catalogue.parent(id);
    expect([above, id]).toEqual([0, 1]);
    expect(hex(catalogue.owner(above))).toBe('076578616d706c65');
    expect(catalogue.intern(packIndicators(indicators)).subtree[0]).toBe(id);
  });
});

/** A target is a set of ids for each way to cover: here the name with its subtree. */
const sets: MemberSets = {
  subtree: idSetFrom(ids.subtree),
  exact: idSetFrom(ids.exact),
  below: idSetFrom(ids.below),
  prefix: idSetFrom(ids.prefix),
};

/** policy/members.ts makes these of attachments, bundles, lists and exclusions. */
const members: readonly Member[] = [
  {
    source: { kind: 'target', id: 1 as TargetId, name: 'Phishing' },
    tier: 'target-block',
    severity: 4,
    action: NXDOMAIN,
    sets,
    viaBundles: [],
  },
];
const rendering = createRpzRendering(60, createActionTable([]));
const verdicts = createVerdicts(catalogue, members, rendering.numberOf);

describe('policy/: membership becomes a verdict', () => {
  it('verdicts.ts: for the owner itself and for what is below it', () => {
    const { action } = rendering.rendered(actionOf(verdicts.self(id)));
    expect(action).toEqual({ kind: 'nxdomain' });
    expect(verdicts.below(id)).toBe(verdicts.self(id));
    expect(verdicts.self(catalogue.parent(id))).toBe(0);
  });
});

const content = compileRpz(catalogue, verdicts);

describe('zone/: verdicts become rules', () => {
  it('rpz-compile.ts: a state for each owner, the action of the name and that of its wildcard', () => {
    const state = stateAt(content, id);
    expect([selfAction(state), belowAction(state)]).toEqual([1, 1]);
    expect([...content.keys()]).toEqual([state]);
  });

  it('rpz-rendering.ts: an action is a tail, the same behind every owner', () => {
    const [tail] = rendering.rendered(selfAction(stateAt(content, id))).tails;
    expect(hex(tail)).toBe(TAIL);
  });

  it('rpz-encode.ts: a record is owner, pointer to the zone at offset 12, tail', () => {
    const buffer = new Uint8Array(512);
    const { at, records, next } = encodeRules({
      catalogue,
      content,
      rendering,
      from: RPZ_START,
      to: null,
      buffer,
      messageStart: 0,
      at: 47,
      limit: 512,
    });
    expect([records, next]).toEqual([2, null]);
    expect(hex(buffer.subarray(47, at))).toBe(
      // evil.example and the zone; then *, a pointer to evil.example at octet 47, the same tail.
      `${EVIL_EXAMPLE}c00c${TAIL}012ac02f${TAIL}`,
    );
  });
});

describe('zone/: an address takes the other way', () => {
  it('ip-compile.ts: as the fewest prefixes, in pages', () => {
    const line = parseIndicator('198.51.100.0-198.51.100.255', PARSE);
    const { prefix } = catalogue.intern(packIndicators(line.ok ? line.indicators : []));
    const member = { ...members[0], action: BLOCK, sets: { ...sets, prefix: idSetFrom(prefix) } };
    const { block, allow } = compileIp(
      catalogue,
      createVerdicts(catalogue, [member], () => IP_ACTION.block),
      1,
    );
    expect(allow).toEqual([]);
    expect(block).toMatchObject([{ prefixes: { count: 1, lengths: Uint8Array.of(24) } }]);
  });
});

const ZONE = zoneName('rpz', 'corp');

/** The same line, now through the front door: an edit, a commit, a query. */
async function published() {
  const house = await openHouse();
  await house.edit((edit) => {
    const phishing = addTarget(edit, 'Phishing', ['other.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[phishing, NXDOMAIN]] });
  });
  house.time.now += 1_000;
  const change = await house.edit((edit) =>
    changeIndicators(edit, 1, { add: Buffer.from(`${LINE}\n`) }),
  );
  return { house, change };
}

describe('publish/: an edit becomes a revision', () => {
  it('plan-change.ts: with the next serial, and records counted', async () => {
    const { house, change } = await published();
    const { serial } = house.zone(ZONE);
    // The zone of the device that pulls the policy takes the same step, under a serial of its own.
    const deviceZone = 'rpz.d-corp.dev.acme.sluice.internal.';
    expect(change.zones.map(({ origin }) => origin)).toEqual([ZONE, deviceZone]);
    expect(change.zones.slice(0, 1)).toEqual([
      {
        origin: ZONE,
        accountId: house.accountId,
        policyId: 1,
        deviceId: null,
        fromSerial: serial - 1,
        toSerial: serial,
        recordsRemoved: 0,
        recordsAdded: 2,
      },
    ]);
    expect(serial).toBe(house.time.now / 1000);
  });

  it('plan-commit.ts: on disk in one commit: owners, members, revision and zone', async () => {
    const { house } = await published();
    const stored = await house.store.load();
    const [revision, ofDevice] = stored.revisions;
    const [kept] = house.zone(ZONE).revisions;
    expect(revision).toMatchObject({ origin: ZONE, toSerial: kept.toSerial });
    // Zones that carry the same content share the difference.
    expect(ofDevice.diff).toBe(revision.diff);
    expect(stored.diffs).toEqual([{ id: revision.diff, bytes: encodeRevision(kept) }]);
    expect(stored.zones).toContainEqual(
      expect.objectContaining({ origin: ZONE, serial: kept.toSerial, live: true }),
    );
    // The owner's key as the catalogue keeps it: space 0 (names), 13 octets, evil.example.
    expect(hex(stored.owners.at(-1)!.bytes)).toBe(`000d${EVIL_EXAMPLE}`);
  });
});

describe('nameserver/: a question becomes octets', () => {
  it('create-nameserver.ts: a query for the rule', async () => {
    const { house } = await published();
    const query = makeQuery(`evil.example.${ZONE}`, 'A', { id: 0x2a2a });
    const [answer] = collectMessages(house.handle(query.bytes));
    const question = hex(query.bytes.subarray(12));
    expect(hex(answer)).toBe(
      // Id; QR and AA; one question, one answer. Its owner is a pointer to the question.
      `2a2a840000010001${NO_MORE}${question}c00c${TAIL}`,
    );
  });

  it('transfer-stream.ts: the message of an IXFR, from the serial before', async () => {
    const { house } = await published();
    const { serial } = house.zone(ZONE);
    const query = makeQuery(ZONE, 'IXFR', { have: serial - 1 });
    const [message] = collectMessages(house.handle(query.bytes, { protocol: 'tcp' }));
    const rule = `${EVIL_EXAMPLE}c00c${TAIL}`;
    // What is below the name is `*` and a pointer to it (RFC 1035 section 4.1.4).
    const pointer = (0xc000 | (hex(message).indexOf(rule) / 2)).toString(16);
    expect(hex(message)).toContain(`${rule}012a${pointer}${TAIL}`);
    const read = readMessage(message);
    if (isMalformed(read)) throw new Error(read.reason);
    expect(read.answers.map(({ name }) => formatName(name))).toEqual([
      ZONE,
      ZONE,
      ZONE,
      `evil.example.${ZONE}`,
      `*.evil.example.${ZONE}`,
      ZONE,
    ]);
  });
});
