import { describe, expect, it } from 'vitest';
import { startTestSluice } from '../support/test-sluice.ts';

describe('http.trustedProxies', () => {
  it('has wrong passwords counted for each client behind the proxy', async () => {
    const { http } = await startTestSluice({
      yaml: 'sampleCatalogue: false\nhttp:\n  trustedProxies: [127.0.0.0/8]\n',
    });
    const logIn = async (client: string) => {
      const answer = await fetch(`http://${http.address}:${http.port}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': client },
        body: JSON.stringify({ name: 'ada', password: 'wrong wrong wrong' }),
      });
      await answer.text();
      return answer.status;
    };
    const statuses = await Promise.all(Array.from({ length: 11 }, () => logIn('192.0.2.1')));
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(await logIn('192.0.2.2')).toBe(401);
  });
});
