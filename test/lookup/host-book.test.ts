import { describe, expect, it, onTestFinished } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { createHostLookup, type HostBook, openHostBook } from '../../src/lookup/index.ts';
import { type FakeResolver, startFakeResolver } from './fake-resolver.ts';

const NAME = 'resolver.example.';

interface Scene {
  readonly resolver: FakeResolver;
  readonly book: HostBook;
  readonly changes: (readonly [string, readonly string[]])[];
}

async function scene({ ttlMsMin = 30_000, retryMs = 30_000, timeoutMs = 1_000 } = {}) {
  const resolver = await startFakeResolver();
  const changes: [string, readonly string[]][] = [];
  const book = openHostBook({
    lookup: createHostLookup({ servers: [resolver], timeoutMs }),
    onChange: (name, addresses) => changes.push([name, addresses]),
    clock: Date.now,
    random: () => 0,
    limits: { ttlMsMin, retryMs },
  });
  onTestFinished(() => book.stop());
  return { resolver, book, changes } satisfies Scene;
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('the book of host names', () => {
  it('knows the addresses of both families as soon as a name is in use', async () => {
    const { resolver, book, changes } = await scene();
    resolver.names.set(NAME, { v4: ['192.0.2.7', '192.0.2.1'], v6: ['2001:db8:0::7'] });
    expect(book.addressesOf(NAME)).toEqual([]);
    expect(book.describe(NAME)).toMatchObject({ addresses: [], askedAt: null, resolvedAt: null });
    const before = Date.now();
    book.use([NAME]);
    await until(() => book.version === 1);
    expect(book.addressesOf(NAME)).toEqual(['192.0.2.1', '192.0.2.7', '2001:db8::7']);
    expect(book.describe(NAME)).toMatchObject({ lastError: null });
    expect(book.describe(NAME).resolvedAt).toBeGreaterThanOrEqual(before);
    expect(changes).toEqual([[NAME, ['192.0.2.1', '192.0.2.7', '2001:db8::7']]]);
    expect(resolver.asked.toSorted()).toEqual([`${NAME} A`, `${NAME} AAAA`]);
  });

  it('asks again when the TTL is over, and tells only of changes', async () => {
    const { resolver, book, changes } = await scene({ ttlMsMin: 10 });
    resolver.names.set(NAME, { v4: ['192.0.2.1'], ttl: 0 });
    book.use([NAME]);
    await until(() => resolver.asked.length >= 6);
    expect(changes).toHaveLength(1);
    resolver.names.set(NAME, { v4: ['192.0.2.2'], ttl: 0 });
    await until(() => changes.length === 2);
    expect(book.addressesOf(NAME)).toEqual(['192.0.2.2']);
    expect(book.version).toBe(2);
  });

  it('asks no sooner than half a minute after, however short the TTL', async () => {
    const { resolver, book } = await scene();
    resolver.names.set(NAME, { v4: ['192.0.2.1'], ttl: 0 });
    book.use([NAME]);
    await until(() => book.version === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(resolver.asked).toHaveLength(2);
    book.refresh([NAME, 'unused.example.']);
    await until(() => resolver.asked.length === 4);
  });

  it.each([
    ['refuses', { rcode: RCODE.REFUSED }, 'the resolver refused (REFUSED)'],
    ['fails', { rcode: RCODE.SERVFAIL }, 'the resolver failed (SERVFAIL)'],
    ['is silent', 'silence', 'no answer within 0.2 s'],
  ] as const)(
    'keeps the last good answer while the resolver %s',
    async (_what, reply, lastError) => {
      const { resolver, book, changes } = await scene({ timeoutMs: 200 });
      resolver.names.set(NAME, { v4: ['192.0.2.1'], v6: ['2001:db8::1'] });
      book.use([NAME]);
      await until(() => book.version === 1);
      const { resolvedAt } = book.describe(NAME);
      resolver.names.set(NAME, reply);
      book.refresh([NAME]);
      await until(() => book.describe(NAME).lastError !== null);
      expect(book.describe(NAME)).toMatchObject({
        addresses: ['192.0.2.1', '2001:db8::1'],
        resolvedAt,
        lastError,
      });
      expect(changes).toHaveLength(1);
    },
  );

  it('forgets the addresses when the resolver says that there are none any more', async () => {
    const { resolver, book } = await scene();
    resolver.names.set(NAME, { v4: ['192.0.2.1'] });
    book.use([NAME]);
    await until(() => book.version === 1);
    resolver.names.set(NAME, { v4: [] });
    book.refresh([NAME]);
    await until(() => book.version === 2);
    expect(book.describe(NAME)).toMatchObject({
      addresses: [],
      lastError: 'the name has no address',
    });
    resolver.names.delete(NAME);
    book.refresh([NAME]);
    await until(() => book.describe(NAME).lastError === 'the name does not exist');
  });

  it('recovers by itself after a failure', async () => {
    const { resolver, book } = await scene({ retryMs: 20 });
    resolver.names.set(NAME, { rcode: RCODE.SERVFAIL });
    book.use([NAME]);
    await until(() => book.describe(NAME).lastError !== null);
    expect(book.describe(NAME).resolvedAt).toBeNull();
    resolver.names.set(NAME, { v6: ['2001:db8::1'] });
    await until(() => book.version === 1);
    expect(book.describe(NAME)).toMatchObject({ addresses: ['2001:db8::1'], lastError: null });
  });

  it('takes addresses of single hosts only, and not without end', async () => {
    const { resolver, book } = await scene();
    const many = Array.from({ length: 40 }, (_, i) => `10.0.0.${i + 1}`);
    resolver.names.set(NAME, { v4: [...many, '0.0.0.0'], v6: ['ff02::1', '::', '2001:db8::1'] });
    resolver.names.set('odd.example.', { v4: ['224.0.0.1', '255.255.255.255'] });
    book.use([NAME, 'odd.example.']);
    await until(() => book.version === 1 && book.describe('odd.example.').lastError !== null);
    const addresses = book.addressesOf(NAME);
    expect(addresses).toHaveLength(17);
    expect(addresses.at(-1)).toBe('2001:db8::1');
    expect(addresses).not.toContain('0.0.0.0');
    expect(book.describe('odd.example.')).toMatchObject({
      addresses: [],
      lastError: 'none of its addresses is that of a single host',
    });
  });

  it('forgets names that are used no more', async () => {
    const { resolver, book } = await scene({ ttlMsMin: 10 });
    resolver.names.set(NAME, { v4: ['192.0.2.1'], ttl: 0 });
    book.use([NAME, 'other.example.']);
    await until(() => book.version === 1);
    book.use(['other.example.']);
    expect(book.addressesOf(NAME)).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const asked = resolver.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(resolver.asked).toHaveLength(asked);
  });

  it('looks up many names with no more lookups at once than may be', async () => {
    const { resolver, book } = await scene();
    resolver.delayMs = 10;
    const names = Array.from({ length: 100 }, (_, i) => `r${i}.example.`);
    for (const [i, name] of names.entries()) resolver.names.set(name, { v4: [`192.0.2.${i + 1}`] });
    book.use(names);
    await until(() => book.version === 100);
    // Each lookup has two questions.
    expect(resolver.mostAtOnce).toBeLessThanOrEqual(32);
    expect(resolver.mostAtOnce).toBeGreaterThan(4);
    expect(book.addressesOf('r99.example.')).toEqual(['192.0.2.100']);
  });

  it('goes on to the next resolver when one does not answer', async () => {
    const [dead, alive] = [await startFakeResolver(), await startFakeResolver()];
    dead.names.set(NAME, 'silence');
    alive.names.set(NAME, { v4: ['192.0.2.1'] });
    const book = openHostBook({
      lookup: createHostLookup({ servers: [dead, alive], timeoutMs: 4_000 }),
      onChange: () => {},
      clock: Date.now,
      random: () => 0,
    });
    onTestFinished(() => book.stop());
    book.use([NAME]);
    await until(() => book.version === 1);
    expect(book.addressesOf(NAME)).toEqual(['192.0.2.1']);
  });

  it('stops at once, answers under way or not', async () => {
    const { resolver, book, changes } = await scene({ timeoutMs: 60_000 });
    resolver.names.set(NAME, 'silence');
    book.use([NAME]);
    await until(() => resolver.asked.length === 2);
    book.stop();
    resolver.names.set(NAME, { v4: ['192.0.2.1'] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(changes).toEqual([]);
  });
});
