import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/index.ts';
import { startSluice } from '../../src/sluice.ts';
import { freePorts } from '../support/child-sluice.ts';
import { startTestSluice, temporaryDirectory } from '../support/test-sluice.ts';

const zonesDirectory = fileURLToPath(new URL('../../zones', import.meta.url));

/** A start over the directory that fails in its last step but one: the port of the API is taken. */
async function startThatFails(directory: string, dnsPort: number): Promise<unknown> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const yaml = [
    'sampleCatalogue: false',
    `dataDirectory: ${directory}`,
    `dns: {listen: [{address: 127.0.0.1, port: ${dnsPort}}]}`,
    `http: {listen: {address: 127.0.0.1, port: ${port}}}`,
  ].join('\n');
  const config = parseConfig(yaml, 'test');
  const log = pino({ level: 'silent' });
  return startSluice({ config, log, version: '0.0.0', zonesDirectory }).then(
    () => 'it started',
    (error: unknown) => error,
  );
}

describe('a start that fails', () => {
  it('gives back the ports and the database, so that the next one can have them', async () => {
    const directory = temporaryDirectory();
    const { dns: port } = await freePorts();
    expect(await startThatFails(directory, port)).toMatchObject({ code: 'EADDRINUSE' });

    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    const { adminToken } = await startTestSluice({ directory });
    // The first one made none that nobody was told of.
    expect(adminToken).toMatch(/^sluice_/);
  });

  it('says what is wrong with the data directory before anything is opened', async () => {
    const { dns: port } = await freePorts();
    const directory = fileURLToPath(import.meta.url);
    expect(await startThatFails(directory, port)).toMatchObject({
      code: 'ERR_START',
      message: expect.stringMatching(/^dataDirectory: .*\((EEXIST|ENOTDIR)\)/),
    });
  });
});
