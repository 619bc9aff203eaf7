import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { heldRequestOf, operationOfHeld } from '../../src/http/held-request.ts';
import { withoutSecrets } from '../../src/http/secret-fields.ts';
import type { HeldChange } from '../../src/policy/model.ts';

const requestWith = (body: unknown, headers: Record<string, string> = {}): FastifyRequest =>
  ({ method: 'POST', url: '/api/v1/batch?confirm=false', body, headers }) as never;

const again = (body: unknown, headers?: Record<string, string>) =>
  operationOfHeld(heldRequestOf(requestWith(body, headers)) as HeldChange);

describe('a request that is held', () => {
  it('comes back as it was: JSON, a text with its type, nothing, and the ETag', () => {
    const sent = { method: 'POST', path: '/batch?confirm=false' };
    expect(again({ a: [1, null] })).toEqual({ ...sent, body: { a: [1, null] } });
    expect(again(undefined)).toEqual(sent);
    const csv = { 'content-type': 'Text/CSV; charset=utf-8', 'if-match': '"x"' };
    expect(again(Buffer.from('bücher.example,x\n'), csv)).toEqual({
      ...sent,
      body: 'bücher.example,x\n',
      contentType: 'text/csv',
      ifMatch: '"x"',
    });
  });

  it.each([
    { password: 'p' },
    { operations: [{ body: { name: 'x', source: { credentials: { kind: 'basic' } } } }] },
    { key: { secret: 'c2VjcmV0' } },
    { newPassword: 'p' },
    { apiKey: 'k' },
    { headers: { authorization: 'Bearer x' } },
  ])('is not kept with a secret in it: %j', (body) => {
    expect(() => heldRequestOf(requestWith(body))).toThrow(/with a secret in it is not held/);
  });

  it('is the same octets again, whatever the text begins with', () => {
    const octets = Buffer.from('\ufeffvalue\r\na.example\r\n');
    const { body } = again(octets, { 'content-type': 'text/csv' });
    expect(Buffer.from(String(body))).toEqual(octets);
  });

  it('is not kept when its text is no UTF-8, and so could not come back', () => {
    const octets = Uint8Array.of(0x61, 0xe4, 0x0a);
    expect(() => heldRequestOf(requestWith(octets))).toThrow(
      expect.objectContaining({
        code: 'confirmation-needed',
        field: 'confirm',
        rule: expect.stringContaining('whose text is not UTF-8 is not held'),
      }),
    );
  });

  it('is kept where a field only could have held one', () => {
    const body = { name: 'password', description: 'the token', password: null, tokens: null };
    expect(again(body).body).toEqual(body);
  });

  it('is shown without secrets', () => {
    expect(withoutSecrets({ a: [{ password: 'p', name: 'n' }], secret: null, token: 5 })).toEqual({
      a: [{ password: '…', name: 'n' }],
      secret: null,
      token: '…',
    });
  });
});
