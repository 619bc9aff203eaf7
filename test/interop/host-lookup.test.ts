import { describe, expect, it, onTestFinished } from 'vitest';
import { createHostLookup, openHostBook } from '../../src/lookup/index.ts';
import { keepPeersTidy, requirePeer, startNamed } from './peers/index.ts';

keepPeersTidy();

const ZONE = 'hosts.example';
const HOST = `resolver-1.${ZONE}.`;
const ALIAS = `alias.${ZONE}.`;

/** The zone, in which the host has these addresses. */
const zoneText = (serial: number, records: readonly string[]) =>
  [
    `$ORIGIN ${ZONE}.`,
    `$TTL 300`,
    `@ SOA ns hostmaster ${serial} 900 300 1209600 60`,
    `@ NS ns`,
    `ns A 192.0.2.53`,
    `alias CNAME resolver-1`,
    `empty TXT "no address"`,
    ...records,
    '',
  ].join('\n');

describe.skipIf(!requirePeer('named'))('host names looked up with a real BIND', () => {
  it('have its addresses, follow its changes, and keep the last ones when it is gone', async () => {
    const named = await startNamed({
      primaries: [
        {
          zone: ZONE,
          text: zoneText(1, ['resolver-1 A 192.0.2.1', 'resolver-1 AAAA 2001:db8::1']),
        },
      ],
    });
    const book = openHostBook({
      lookup: createHostLookup({ servers: [named], timeoutMs: 1_000 }),
      onChange: () => {},
      clock: Date.now,
      random: () => 0,
    });
    onTestFinished(() => book.stop());
    const names = [HOST, ALIAS, `empty.${ZONE}.`, `absent.${ZONE}.`];
    const asked = (since: number) =>
      names.every((name) => (book.describe(name).askedAt ?? 0) > since);
    const lookUp = async () => {
      const since = Date.now() - 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
      book.use(names);
      book.refresh(names);
      while (!asked(since)) await new Promise((resolve) => setTimeout(resolve, 5));
    };

    await lookUp();
    expect(book.describe(HOST)).toMatchObject({
      addresses: ['192.0.2.1', '2001:db8::1'],
      lastError: null,
    });
    expect(book.addressesOf(ALIAS)).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(book.describe(`empty.${ZONE}.`).lastError).toBe('the name has no address');
    expect(book.describe(`absent.${ZONE}.`).lastError).toBe('the name does not exist');

    await named.replaceZone(ZONE, zoneText(2, ['resolver-1 A 192.0.2.2']));
    await lookUp();
    expect(book.addressesOf(HOST)).toEqual(['192.0.2.2']);
    expect(book.addressesOf(ALIAS)).toEqual(['192.0.2.2']);

    await named.stop();
    await lookUp();
    expect(book.describe(HOST)).toMatchObject({
      addresses: ['192.0.2.2'],
      lastError: expect.stringMatching(/no resolver answered|no answer within/),
    });
  });
});
