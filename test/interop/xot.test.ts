import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type IssuedCertificate,
  makeAuthority,
  type TestAuthority,
} from '../support/certificate.ts';
import {
  axfr,
  compareZones,
  type Endpoint,
  endpointFor,
  eventually,
  keepPeersTidy,
  makePeerFolder,
  type Peer,
  requirePeer,
  servedSerial,
  type TsigKey,
} from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';
import {
  kdigOverTls,
  startNamedOverTls,
  startNsdOverTls,
  type XotPeerOptions,
  type XotSource,
} from './xot-peers.ts';

keepPeersTidy();

const ZONE = 'block.p.main.sluice.internal';
const SAME = { onlyInFirst: [], onlyInSecond: [] };
const PRIMARY_NAME = 'primary.example';
/** Addresses apart from one another, for several messages of a transfer. */
const ADDRESSES = Array.from({ length: 6_000 }, (_, i) => `11.${i >> 7}.${(i & 127) * 2}.1`);

type Start = (options: XotPeerOptions) => Promise<Peer>;

describe.skipIf(!requirePeer('named', 'nsd', 'kdig', 'dig', 'openssl'))(
  'real programs over TLS',
  () => {
    let folder: string;
    let authority: TestAuthority;
    let sluice: SluicePrimary;
    let tls: Endpoint;
    let policyId: number;
    let targetId: number;
    let observer: TsigKey;
    let devices = 0;

    beforeAll(async () => {
      folder = await makePeerFolder('xot');
      authority = makeAuthority('Xot Authority', folder);
      const server = authority.issue({ for: 'server', names: `DNS:${PRIMARY_NAME}` });
      const dns = await endpointFor('named');
      tls = await endpointFor('named');
      sluice = await startPrimary({
        settings: {
          dns: {
            listen: [dns],
            tls: {
              listen: [tls],
              certificateFile: server.certificateFile,
              keyFile: server.keyFile,
              clientAuthoritiesFile: authority.certificateFile,
            },
          },
        },
      });
      Object.assign(sluice, dns);
      const made = await sluice.ok('POST', '/targets', { name: 'Addresses' });
      targetId = Number(made.target?.id);
      await sluice.ok('PUT', `/targets/${targetId}/indicators`, ADDRESSES.join('\n'));
      const attachments = [{ kind: 'target', id: targetId, action: { kind: 'block' } }];
      const policy = { name: 'p', type: 'ip', attachments };
      policyId = Number((await sluice.ok('POST', '/policies', policy)).policy?.id);
      const device = await sluice.addDevice({ name: 'observer', type: 'ip', policyId });
      observer = device.key!;
    });
    afterAll(async () => {
      await sluice?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const source = (more: Partial<XotSource> = {}): XotSource => ({
      zone: ZONE,
      primary: tls,
      authoritiesFile: authority.certificateFile,
      primaryName: PRIMARY_NAME,
      ...more,
    });
    const certificateFor = (name: string): IssuedCertificate =>
      authority.issue({ for: 'client', names: `DNS:${name}` });
    /** A device with this name in its certificate and nothing else that it is known by. */
    const addCertificateDevice = async (notify?: Endpoint): Promise<IssuedCertificate> => {
      devices += 1;
      const certificateName = `device${devices}.example`;
      await sluice.ok('POST', '/devices', {
        name: `shows${devices}`,
        type: 'ip',
        access: 'certificate',
        certificateName,
        policyId,
        notify: notify === undefined ? [] : [{ address: notify.address, port: notify.port }],
      });
      return certificateFor(certificateName);
    };
    const addKeyDevice = async (notify: Endpoint): Promise<TsigKey> => {
      devices += 1;
      const device = { name: `signs${devices}`, type: 'ip', policyId, notify } as const;
      return (await sluice.addDevice(device)).key!;
    };
    const serialOfSluice = async (): Promise<number> => {
      const soa = await kdigOverTls(tls, ['+short', ZONE, 'SOA'], observer);
      return Number(soa.split(' ')[2]);
    };
    /** Nothing but TLS is asked for there: what it holds came over TLS. */
    const expectCopy = async (peer: Endpoint): Promise<void> => {
      const serial = await serialOfSluice();
      await eventually(
        `it holds ${serial}`,
        async () => (await servedSerial(peer, ZONE)) === serial,
        20_000,
      );
      const [own, copied] = [await axfr(sluice, ZONE, { key: observer }), await axfr(peer, ZONE)];
      expect(compareZones(own, copied)).toEqual(SAME);
    };
    let changes = 0;
    const change = (): Promise<unknown> => {
      changes += 1;
      return sluice.ok('PATCH', `/targets/${targetId}/indicators`, { add: [`12.0.${changes}.1`] });
    };

    describe('kdig', () => {
      it('asks over TLS, content with authority and name', async () => {
        const strict = [`+tls-ca=${authority.certificateFile}`, `+tls-hostname=${PRIMARY_NAME}`];
        const output = await kdigOverTls(tls, [...strict, ZONE, 'SOA'], observer);
        expect(output).toMatch(/^;; TLS session \(TLS1\.3\)/m);
        expect(output).toMatch(/status: NOERROR/);
        expect(output).toMatch(/Flags: qr aa/);
      });

      it('is not content with another name or another authority', async () => {
        const other = makeAuthority('Other', await makePeerFolder('other'));
        const wrong = [
          [`+tls-ca=${authority.certificateFile}`, '+tls-hostname=other.example'],
          [`+tls-ca=${other.certificateFile}`, `+tls-hostname=${PRIMARY_NAME}`],
        ];
        for (const args of wrong) {
          await expect(kdigOverTls(tls, [...args, ZONE, 'SOA'], observer)).rejects.toThrow();
        }
      });

      it('transfers the zone over TLS, the same as over TCP', async () => {
        const output = await kdigOverTls(tls, ['+noidn', ZONE, 'AXFR'], observer);
        const records = output.split('\n').filter((line) => /\sIN\s/.test(line));
        expect(records.length).toBe((await axfr(sluice, ZONE, { key: observer })).length + 1);
      });

      it('transfers by its certificate alone, and not by that of somebody else', async () => {
        const shown = ({ certificateFile, keyFile }: IssuedCertificate): string[] => [
          `+tls-certfile=${certificateFile}`,
          `+tls-keyfile=${keyFile}`,
        ];
        const mine = await addCertificateDevice();
        expect(await kdigOverTls(tls, [...shown(mine), ZONE, 'AXFR'])).toMatch(/IN\s+APL/);
        const other = certificateFor('nobody.example');
        expect(await kdigOverTls(tls, [...shown(other), ZONE, 'SOA'])).toMatch(/status: REFUSED/);
        expect(await kdigOverTls(tls, [ZONE, 'SOA'])).toMatch(/status: REFUSED/);
      });
    });

    describe.each<[string, Start, string]>([
      ['BIND', startNamedOverTls, 'named'],
      ['NSD', startNsdOverTls, 'nsd'],
    ])('%s as a secondary over TLS', (_, start, program) => {
      let peer: Peer | undefined;
      afterAll(() => peer?.stop());

      it('signs by its key, and follows changes', async () => {
        const listen = await endpointFor(program);
        const key = await addKeyDevice(listen);
        peer = await start({ listen, source: source({ key }) });
        await expectCopy(peer);
        await change();
        await expectCopy(peer);
        await peer.stop();
      });

      it('is known by its certificate alone, and follows changes', async () => {
        const listen = await endpointFor(program);
        const certificate = await addCertificateDevice(listen);
        peer = await start({ listen, source: source({ certificate }) });
        await expectCopy(peer);
        await change();
        await expectCopy(peer);
        await peer.stop();
      });

      it('gets nothing by a certificate of another name', async () => {
        const listen = await endpointFor(program);
        const certificate = certificateFor('stranger.example');
        peer = await start({ listen, source: source({ certificate }) });
        await eventually(
          'it was refused',
          () => /(?:receiving responses: |error code )REFUSED/.test(peer!.log()),
          20_000,
        );
        expect(await servedSerial(peer, ZONE)).toBeNull();
      });
    });
  },
);
