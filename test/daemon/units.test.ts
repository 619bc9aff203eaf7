import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/index.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';

const UNITS = fileURLToPath(new URL('../../config/systemd', import.meta.url));
const unit = (name: string) => readFileSync(join(UNITS, name), 'utf8');

describe('the units in config/systemd', () => {
  it.skipIf(!requirePeer('systemd-analyze'))(
    'have nothing that systemd does not understand',
    () => {
      const directory = temporaryDirectory();
      const files = readdirSync(UNITS).map((name) => {
        const path = join(directory, name);
        // Nothing is installed here; what is checked is all but whether the program is there.
        writeFileSync(path, unit(name).replace(/^(ExecStart=)\S+/m, '$1/bin/true'));
        return path;
      });
      expect(files).toHaveLength(3);
      const output = execFileSync('systemd-analyze', ['verify', ...files], { stdio: 'pipe' });
      expect(output.toString()).toBe('');
    },
  );

  it('start what is there: the program, and the names that Sluice knows sockets by', () => {
    const service = unit('sluice.service');
    expect(service).toMatch(/^ExecStart=\S+\/node .*\/src\/main\.ts$/m);
    expect(service).toMatch(/^ExecReload=.*kill -HUP \$MAINPID$/m);
    expect(service).toMatch(/^NotifyAccess=all$/m);
    expect(unit('sluice.socket')).toMatch(/^FileDescriptorName=dns$/m);
    expect(unit('sluice-tls.socket')).toMatch(/^FileDescriptorName=dns-tls$/m);
    expect(unit('sluice-tls.socket')).toMatch(/^Service=sluice\.service$/m);
  });
});
