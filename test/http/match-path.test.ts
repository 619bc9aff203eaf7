import { describe, expect, it } from 'vitest';
import { matchPath } from '../../src/http/match-path.ts';

const PATTERNS = [
  '/targets',
  '/targets/:id',
  '/targets/:id/indicators',
  '/policies/:id/attachments/:kind/:memberId',
  '/devices/:id/keys/:keyId',
  '/devices/:id/keys/rotate',
  '/:kind/all/now',
];
const match = (path: string) => {
  const found = matchPath(path, PATTERNS);
  return found && { pattern: PATTERNS[found.index], params: found.params };
};

describe('the path of an operation', () => {
  it('fits a pattern segment by segment', () => {
    expect(match('/targets')).toEqual({ pattern: '/targets', params: {} });
    expect(match('/targets/7')).toEqual({ pattern: '/targets/:id', params: { id: '7' } });
    expect(match('/policies/1/attachments/target/2')).toEqual({
      pattern: '/policies/:id/attachments/:kind/:memberId',
      params: { id: '1', kind: 'target', memberId: '2' },
    });
  });

  it('prefers what is written out, whatever the order of registration', () => {
    expect(match('/devices/1/keys/rotate')).toMatchObject({ pattern: '/devices/:id/keys/rotate' });
    expect(match('/devices/1/keys/2')).toMatchObject({ pattern: '/devices/:id/keys/:keyId' });
  });

  it('has percent-encoding undone in parameters, after it was split', () => {
    expect(match('/targets/a%2Fb')).toMatchObject({ params: { id: 'a/b' } });
    expect(match('/targets/%74')).toMatchObject({ params: { id: 't' } });
    expect(match('/%74argets')).toBeNull();
  });

  it.each([
    '',
    'targets',
    '/',
    '//',
    '/targets/',
    '//targets',
    '/targets//indicators',
    '/Targets',
    '/targets/1/',
    '/targets/1/indicators/2',
    '/targets/../targets',
    '/targets/%',
    '/targets/%ff',
    '/targets#x',
    `/targets/${'x'.repeat(2_100)}`,
  ])('fits nothing when it is %j', (path) => {
    const found = match(path);
    // `..` is a segment like any other: nothing resolves it.
    expect(found).toBeNull();
  });
});
