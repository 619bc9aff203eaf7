import { describe, expect, it } from 'vitest';
import { freePorts } from '../support/child-sluice.ts';
import { askByTcp, askByUdp, transferByTcp } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { servePolicy } from '../support/test-sluice.ts';
import { startDaemon } from './daemon.ts';

describe('a server with several addresses', () => {
  it('answers on each of them over UDP and TCP, and names them all', async () => {
    const { dns: port, http } = await freePorts();
    const addresses = ['127.0.0.1', '127.0.0.2', '::1'];
    const listen = addresses.map((address) => ({ address, port }));
    const yaml = `dns: {listen: ${JSON.stringify(listen)}}`;
    const daemon = await startDaemon({ ports: { dns: port, http }, listens: false, yaml });
    await daemon.started;
    for (const address of addresses) {
      expect(daemon.output()).toContain(`DNS    ${address} port ${port}, UDP and TCP\n`);
    }
    expect(await daemon.record('listening')).toMatchObject({
      dns: listen,
      tls: [],
      http: { address: '127.0.0.1', port: http },
    });

    const { zone, deviceId } = await servePolicy(daemon, {
      name: 'corp',
      type: 'dns',
      lines: ['evil.example'],
    });
    await daemon.api('PATCH', `/devices/${deviceId}`, { sources: ['127.0.0.0/8', '::1/128'] });
    for (const server of listen) {
      for (const ask of [askByUdp, askByTcp]) {
        const { rcode, answers } = await ask(server, makeQuery(`evil.example.${zone}`, 'CNAME'));
        expect({ server, rcode, count: answers.length }).toEqual({ server, rcode: 0, count: 1 });
      }
      expect((await transferByTcp(server, zone)).records).toHaveLength(9);
    }
  });

  it('starts with none of them when one cannot be had', async () => {
    const { dns: port, http } = await freePorts();
    // TEST-NET-1 (RFC 5737) is nobody's, and not an address of this machine.
    const listen = [
      { address: '127.0.0.1', port },
      { address: '192.0.2.1', port },
    ];
    const yaml = `dns: {listen: ${JSON.stringify(listen)}}`;
    const daemon = await startDaemon({ ports: { dns: port, http }, listens: false, yaml });
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.output()).toMatch(/^sluice cannot start: bind EADDRNOTAVAIL 192\.0\.2\.1/m);
  });
});
