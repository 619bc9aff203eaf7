import { describe, expect, it } from 'vitest';
import { getTaxiiObjects, type TaxiiOptions } from '../../../src/feeds/sources/taxii.ts';
import { failureOf, startRawServer } from './fetching.ts';
import { type AddedObject, startTaxiiServer } from './taxii-server.ts';

/** An indicator that the server took in at a second of a certain day. */
const indicator = (number: number, changes: Record<string, unknown> = {}): AddedObject => ({
  added: `2026-03-01T00:00:${String(number).padStart(2, '0')}.000000Z`,
  object: {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    pattern: `[domain-name:value = 'host-${number}.example']`,
    pattern_type: 'stix',
    valid_from: '2026-01-01T00:00:00Z',
    ...changes,
  },
});
const indicators = (count: number) => Array.from({ length: count }, (_, at) => indicator(at));

function fetchObjects(url: string, options: Partial<TaxiiOptions> = {}) {
  return getTaxiiObjects({
    url,
    credentials: { kind: 'none' },
    allowPrivate: true,
    addedAfter: null,
    limits: { octetsMax: 1_000_000, redirectsMax: 0, idleMs: 2_000 },
    signal: AbortSignal.timeout(10_000),
    onOctets: () => {},
    ...options,
  });
}

const numbersIn = (octets: Uint8Array): number[] => {
  const bundle = JSON.parse(new TextDecoder().decode(octets));
  expect(bundle.type).toBe('bundle');
  return bundle.objects.map(({ id }: { id: string }) => Number(id.slice(-12)));
};
const upTo = (count: number, from = 0) =>
  Array.from({ length: count - from }, (_, at) => from + at);

describe('a TAXII collection', () => {
  it('comes whole, page by page, with the marker that the server gives', async () => {
    const server = await startTaxiiServer({ objects: indicators(23), pageMax: 5 });
    const got = await fetchObjects(server.url);
    expect(numbersIn(got.octets)).toEqual(upTo(23));
    expect(got.objects).toBe(23);
    expect(got.addedAfter).toBe(indicator(22).added);
    expect(server.requests).toHaveLength(5);
    expect(server.requests[0]?.accept).toBe('application/taxii+json;version=2.1');
    expect(server.requests[0]?.query.has('added_after')).toBe(false);
  });

  it('comes whole from a server without markers, by the time of the last object', async () => {
    const server = await startTaxiiServer({
      objects: indicators(23),
      pageMax: 5,
      withNext: false,
    });
    expect(numbersIn((await fetchObjects(server.url)).octets)).toEqual(upTo(23));
    const times = server.requests.map(({ query }) => query.get('added_after'));
    expect(times).toEqual([null, ...[4, 9, 14, 19].map((number) => indicator(number).added)]);
  });

  it('is asked for what was added since, and a revoked indicator is among that', async () => {
    const server = await startTaxiiServer({ objects: indicators(7), pageMax: 3 });
    const first = await fetchObjects(server.url);
    const nothing = await fetchObjects(server.url, { addedAfter: first.addedAfter });
    expect([nothing.objects, nothing.addedAfter]).toEqual([0, first.addedAfter]);
    server.add(indicator(7));
    server.add({ ...indicator(3, { revoked: true }), added: indicator(8).added });
    const second = await fetchObjects(server.url, { addedAfter: first.addedAfter });
    expect(numbersIn(second.octets)).toEqual([7, 3]);
    expect(new TextDecoder().decode(second.octets)).toContain('"revoked":true');
    expect(second.addedAfter).toBe(indicator(8).added);
  });

  it('is asked for indicators only, unless its URL says otherwise', async () => {
    const objects = [
      indicator(0),
      { added: indicator(1).added, object: { type: 'malware', id: 'malware--000000000001' } },
    ];
    const server = await startTaxiiServer({ objects });
    expect((await fetchObjects(server.url)).objects).toBe(1);
    const all = `${server.url}?match[type]=indicator,malware&limit=1`;
    expect((await fetchObjects(all)).objects).toBe(2);
    expect(server.requests.at(-1)?.query.get('limit')).toBe('1');
  });

  it('may be empty', async () => {
    const server = await startTaxiiServer();
    const got = await fetchObjects(server.url);
    expect([numbersIn(got.octets), got.addedAfter]).toEqual([[], null]);
  });

  it('is read with credentials on every page, and refused without', async () => {
    const account = { user: 'reader', password: 's3cret' };
    const server = await startTaxiiServer({ objects: indicators(4), pageMax: 2, ...account });
    const credentials = { kind: 'basic', ...account } as const;
    expect((await fetchObjects(server.url, { credentials })).objects).toBe(4);
    const refused = await failureOf(fetchObjects(server.url));
    expect(refused.message).toContain('401');
  });

  it('counts the octets of all pages together', async () => {
    const server = await startTaxiiServer({ objects: indicators(20), pageMax: 2 });
    const limits = { octetsMax: 2_000, redirectsMax: 0 };
    expect((await failureOf(fetchObjects(server.url, { limits }))).reason).toBe('too-large');
  });
});

describe('a TAXII server that does not do as it should', () => {
  const TYPE = 'application/taxii+json; version=2.1';
  const startOdd = (type: string, text: string, header = 'X-Nothing: 0') =>
    startRawServer((socket) => {
      const head = `Content-Type: ${type}\r\n${header}\r\nContent-Length: ${text.length}`;
      socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${text}`);
    });

  it('cannot keep its client for ever', async () => {
    const same = await startOdd(TYPE, '{"more":true,"next":"page-1","objects":[{}]}');
    expect((await failureOf(fetchObjects(same.url))).message).toContain('its own next page');
    expect(same.requests).toHaveLength(2);
    const time = 'X-TAXII-Date-Added-Last: 2026-03-01T00:00:03.000Z';
    const still = await startOdd(TYPE, '{"more":true,"objects":[{}]}', time);
    expect((await failureOf(fetchObjects(still.url))).message).toContain('does not say where');
    expect(still.requests).toHaveLength(2);
    const limits = { octetsMax: 5_000, redirectsMax: 0 };
    let pages = 0;
    const endless = await startRawServer((socket) => {
      const text = `{"more":true,"next":"page-${++pages}","objects":[{}]}`;
      const head = `Content-Type: ${TYPE}\r\nContent-Length: ${text.length}`;
      socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${text}`);
    });
    expect((await failureOf(fetchObjects(endless.url, { limits }))).reason).toBe('too-large');
  });

  it('is refused when what it sends is no envelope of TAXII 2.1', async () => {
    const answers: readonly [string, string, string][] = [
      ['text/html', '<html>', 'is not application/taxii+json'],
      ['application/taxii+json;version=2.0', '{}', 'is not application/taxii+json'],
      ['application/taxii+json', '{"objects":[', 'no JSON'],
      ['application/taxii+json', '[]', 'no TAXII envelope'],
      ['application/taxii+json', '{"objects":{}}', '"objects"'],
      ['application/taxii+json', '{"more":"yes"}', '"more"'],
      ['application/taxii+json', '{"more":true,"next":5}', '"next"'],
      ['application/taxii+json', '{"more":true}', 'does not say where'],
    ];
    for (const [type, text, why] of answers) {
      const server = await startOdd(type, text);
      const failure = await failureOf(fetchObjects(server.url));
      expect([failure.reason, failure.message]).toEqual(['format', expect.stringContaining(why)]);
    }
  });

  it('has its times kept only if they are times', async () => {
    const header = 'X-TAXII-Date-Added-Last: yesterday&limit=1';
    const server = await startOdd(TYPE, '{"objects":[{"id":"indicator--000000000001"}]}', header);
    expect(await fetchObjects(server.url)).toMatchObject({ objects: 1, addedAfter: null });
  });
});
