import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { API_PREFIX } from '../../src/http/index.ts';
import type { ListEntry } from '../../src/policy/model.ts';
import {
  csvOfEntries,
  entriesOfCsv,
  entriesOfText,
  textOfEntries,
} from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

interface Exchange extends Scene {
  /** Replaces the entries of list 1 by a body of this media type. */
  put(
    type: string,
    body: string | Uint8Array,
    query?: string,
  ): Promise<{ status: number; body: Json }>;
  get(headers: Record<string, string>, query?: string): Promise<{ type: string; text: string }>;
}

async function withList(): Promise<Exchange> {
  const made = await scene();
  await made.ok('POST', '/lists', { name: 'Own servers' });
  const url = `${API_PREFIX}/lists/1/entries`;
  const authorization = `Bearer ${made.tokens.editor}`;
  return {
    ...made,
    async put(type, body, query = '') {
      const response = await made.app.inject({
        method: 'PUT',
        url: url + query,
        headers: { authorization, 'content-type': type },
        payload: Buffer.from(body),
      });
      return { status: response.statusCode, body: response.json<Json>() };
    },
    async get(headers, query = '') {
      const response = await made.app.inject({
        method: 'GET',
        url: url + query,
        headers: { authorization, ...headers },
      });
      expect(response.statusCode, response.body).toBe(200);
      return { type: String(response.headers['content-type']), text: response.body };
    },
  };
}

const ENTRIES = [
  { value: '192.0.2.10-192.0.2.20', comment: 'mail, "old" and new' },
  { value: '198.51.100.0/24', comment: '=HYPERLINK("http://x")' },
  { value: '2001:db8::/32', comment: '# not a comment line' },
  { value: '-dash.example', comment: "'=quoted" },
  { value: 'a\\.b.example', comment: 'expires=never' },
  { value: 'shop.example', comment: 'until, say, spring', expiresAt: '2030-03-01T00:00:00Z' },
  { value: 'plain.example' },
];

describe('entries of a list', () => {
  it.each([
    ['text', 'text/plain'],
    ['csv', 'text/csv'],
  ])('that are exported as %s and imported again are the same entries', async (format, type) => {
    const { get, ok, put } = await withList();
    await ok('PUT', '/lists/1/entries', { entries: ENTRIES });
    const before = await ok('GET', '/lists/1/entries');
    const exported = await get({}, `?format=${format}`);
    expect(exported.type).toBe(`${type}; charset=utf-8`);
    expect((await put(type, exported.text)).body).toMatchObject({
      added: 0,
      updated: 0,
      removed: 0,
      unchanged: ENTRIES.length,
    });
    await ok('PUT', '/lists/1/entries', { entries: [] });
    expect((await put(type, exported.text)).body).toMatchObject({ added: ENTRIES.length });
    expect(await ok('GET', '/lists/1/entries')).toEqual(before);
  });

  it('are exported as CSV of RFC 4180 in which no cell is a formula', async () => {
    const { get, ok } = await withList();
    await ok('PUT', '/lists/1/entries', { entries: ENTRIES });
    const { text } = await get({ accept: 'text/csv' });
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(text.split('\r\n')[0]).toBe('value,comment,expires');
    const rows = parse(text) as string[][];
    expect(rows).toHaveLength(ENTRIES.length + 1);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    expect(text).toContain(`198.51.100.0/24,"'=HYPERLINK(""http://x"")",\r\n`);
  });

  it('come in the form that Accept or the query asks for, JSON otherwise', async () => {
    const { call, get, ok } = await withList();
    await ok('PUT', '/lists/1/entries', {
      entries: [{ value: 'a.example', comment: 'Shop' }, 'b.example'],
    });
    expect(await get({ accept: 'text/plain' })).toEqual({
      type: 'text/plain; charset=utf-8',
      text: 'a.example # Shop\nb.example\n',
    });
    expect((await get({ accept: 'text/plain;q=0.5, text/csv' })).type).toMatch('text/csv');
    expect((await get({ accept: 'text/*' })).type).toMatch('text/plain');
    expect((await get({ accept: 'text/csv' }, '?format=json')).type).toMatch('application/json');
    expect((await get({ accept: 'image/png' })).type).toMatch('application/json');
    expect((await get({}, '?format=text&q=SHOP')).text).toBe('a.example # Shop\n');
    const answer = await call('GET', '/lists/1/entries?format=csv');
    expect(answer.headers).toMatchObject({
      vary: expect.stringContaining('accept'),
      'content-disposition': 'attachment; filename="list-1.csv"',
    });
  });

  it('are imported from CSV with and without a header, in any order of its columns', async () => {
    const { ok, put } = await withList();
    const items = async () => (await ok('GET', '/lists/1/entries')).items;
    const expected = [
      { value: 'a.example', comment: 'one', expiresAt: '2030-03-01T00:00:00.000Z' },
      { value: 'b.example', comment: '', expiresAt: null },
    ];
    for (const text of [
      'value,comment,expires\r\na.example,one,2030-03-01T00:00:00Z\r\nb.example,,\r\n',
      'a.example,one,2030-03-01T00:00:00Z\nb.example\n',
      '\ufeffExpires,"Value",COMMENT\n2030-03-01T00:00:00Z, a.example ,one\n,b.example,\n\n',
    ]) {
      expect((await put('text/csv; header=present', text)).status, text).toBe(200);
      expect(await items(), text).toMatchObject(expected);
    }
  });

  it('of a text are refused by the line they stand in, or reported and left out', async () => {
    const { ok, put } = await withList();
    const text =
      'value,comment\nfine.example,x\n\na..example,y\nb.example,z,2030-03-01T00:00:00Z\n';
    const refused = await put('text/csv', text);
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      type: '/api/v1/problems/entry-form',
      field: 'line 4',
      value: 'a..example',
      errors: [
        { field: 'line 4' },
        { field: 'line 5', value: 'b.example', rule: 'An entry has no field "column 3".' },
      ],
    });
    expect(await ok('GET', '/lists/1')).toMatchObject({ counts: { entries: 0 } });
    expect((await put('text/csv', text, '?rejected=report')).body).toMatchObject({
      added: 1,
      rejectedTotal: 2,
      rejected: [{ line: 4 }, { line: 5 }],
    });
    const plain = await put('text/plain', '# list\n\nx..example # bad\n');
    expect(plain.body).toMatchObject({ field: 'line 3', value: 'x..example' });
  });

  it('that have expired already are refused, whatever they are written in', async () => {
    const { put } = await withList();
    for (const [type, text] of [
      ['text/csv', 'a.example,,2029-01-01T00:00:00Z\n'],
      ['text/plain', 'a.example expires=2029-01-01T00:00:00Z\n'],
    ] as const) {
      expect((await put(type, text)).body).toMatchObject({
        status: 422,
        type: '/api/v1/problems/entry-expired',
        field: 'line 1',
      });
    }
  });

  it.each([
    ['a quote that is never closed', 'a.example,"open\nb.example,x\n', 'text-form'],
    ['a column that does not exist', 'value,colour\na.example,red\n', 'text-form'],
    ['a column that is named twice', 'value,comment,value\na.example,x,b.example\n', 'text-form'],
    ['letters that are no UTF-8', Uint8Array.of(0x61, 0xe4, 0x0a), 'text-form'],
    ['a page of HTML', '<html>\n<body>hello</body>\n', 'entry-form'],
  ])('are not taken from %s', async (_what, body, code) => {
    const { put, publisher } = await withList();
    const before = publisher.model;
    const answer = await put('text/csv', body);
    expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
    expect(answer.body).toMatchObject({
      type: `/api/v1/problems/${code}`,
      field: expect.any(String),
      rule: expect.stringMatching(/\.$/),
    });
    expect(publisher.model).toBe(before);
  });

  it('of CSV are the same when the change was held meanwhile', async () => {
    const { ok, put } = await withList();
    const attachments = [{ kind: 'list', id: 1 }];
    await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    const held = await put('text/csv', 'comment,value\r\n"private, ours",10.0.0.1\r\n');
    expect(held.status).toBe(202);
    expect(await ok('GET', '/lists/1')).toMatchObject({ counts: { entries: 0 } });
    await ok('POST', `/held-changes/${held.body.held?.id}/confirm`);
    expect(await ok('GET', '/lists/1/entries')).toMatchObject({
      items: [{ value: '10.0.0.1', comment: 'private, ours' }],
    });
  });

  it('go in and out 32,000 at a time as CSV', async () => {
    const { get, put } = await withList();
    const text = Array.from({ length: 32_000 }, (_, n) => `h${n}.example,"number, ${n}",\n`).join(
      '',
    );
    expect((await put('text/csv', text)).body).toMatchObject({ added: 32_000 });
    const { text: exported } = await get({ accept: 'text/csv' });
    expect((await put('text/csv', exported)).body).toMatchObject({ unchanged: 32_000 });
    expect((await put('text/csv', `${text}more.example,,\n`)).body).toMatchObject({
      status: 422,
      type: '/api/v1/problems/list-full',
      field: 'body',
      value: 32_001,
    });
  });
});

describe('a text of more than a list takes', () => {
  const full = { code: 'list-full', field: 'body', value: 32_001 };

  it.each([
    ['text', entriesOfText, 'a.example\n'],
    ['CSV', entriesOfCsv, 'a,,\n'],
    ['CSV of commas', entriesOfCsv, ',\n'],
  ])('is refused at the first entry too many, as %s', (_what, read, line) => {
    // What follows cannot be read, which would be said had anybody looked.
    const text = `${line.repeat(32_001)}"${'x'.repeat(20_000)}`;
    expect(() => read(text)).toThrow(expect.objectContaining(full));
  });

  it('may have its 32,000 entries below a header, and comments beside them', () => {
    const csv = `value,comment\r\n${'a,\r\n'.repeat(32_000)}`;
    expect(entriesOfCsv(csv).items).toHaveLength(32_000);
    expect(() => entriesOfCsv(`${csv}a,\r\n`)).toThrow(expect.objectContaining(full));
    const text = '# more\r\n\r\na\r\n'.repeat(32_000);
    const { items, lines } = entriesOfText(text);
    expect([items.length, lines.at(-1), items[0]]).toEqual([
      32_000,
      96_000,
      { value: 'a', comment: '' },
    ]);
  });

  it.each([
    ['a line that does not end', entriesOfText, `a\n${'x'.repeat(16_385)}`, 16_385],
    ['a comment that does not end', entriesOfText, `a\n#${'x'.repeat(100_000)}\n`, 100_001],
    ['a record that does not end', entriesOfCsv, `a\n${'x'.repeat(16_386)}\n`, expect.anything()],
    ['a line of nothing but commas', entriesOfCsv, `a\n${','.repeat(1_000_000)}\n`, 65],
  ])('is refused with %s', (_what, read, text, value) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'text-form', field: 'line 2', value }),
    );
  });
});

describe('text and CSV of entries', () => {
  const entry: fc.Arbitrary<ListEntry> = fc.record({
    value: fc.constantFrom('192.0.2.1', '-x.example', '*.a.example', '2001:db8::1-2001:db8::4'),
    comment: fc
      .oneof(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ unit: fc.constantFrom(...'\'"=+-@,;#\\ ＝'), maxLength: 8 }),
      )
      .filter((text) => !/\p{Cc}/u.test(text))
      .map((text) => text.trim()),
    expiresAt: fc.option(fc.integer({ min: 1, max: Date.UTC(9999, 0, 1) })),
    createdAt: fc.constant(0),
  });

  it('read back to what was written, whatever a comment holds', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const wanted = entries.map(({ value, comment, expiresAt }) => ({
          value,
          comment,
          ...(expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
        }));
        expect(entriesOfText(textOfEntries(entries)).items).toEqual(wanted);
        expect(entriesOfCsv(csvOfEntries(entries)).items).toEqual(wanted);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
