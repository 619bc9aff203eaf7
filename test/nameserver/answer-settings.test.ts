import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerSettings } from '../../src/answer-settings.ts';
import { parseConfig } from '../../src/config/index.ts';
import { temporaryDirectory } from '../support/test-sluice.ts';

const clock = () => Date.UTC(2030, 0, 31);
const config = (...dns: string[]) =>
  parseConfig(['dns:', ...dns.map((line) => `  ${line}`)].join('\n'), 'test');
const secret = (octet: number) => new Uint8Array(16).fill(octet);

function secretFile(text: string): { readonly path: string; write(text: string): void } {
  const path = join(temporaryDirectory(), 'cookie-secrets');
  const write = (content: string) => writeFileSync(path, content, { mode: 0o600 });
  write(text);
  return { path, write };
}

describe('the settings of cookies', () => {
  it('answer cookies by default, with a secret that is made here', () => {
    const { cookies } = answerSettings(config('{}'), clock).options;
    expect(cookies?.required).toBe(false);
    const other = answerSettings(config('{}'), clock).options.cookies;
    expect(cookies?.secrets().active).toHaveLength(16);
    expect(cookies?.secrets()).not.toEqual(other?.secrets());
  });

  it('can turn them off', () => {
    const settings = answerSettings(config('cookies: { enabled: false }'), clock);
    expect(settings.options.cookies).toBeUndefined();
  });

  it('read the file of secrets again with every reload, or refuse it and keep those before', () => {
    const file = secretFile('11'.repeat(16));
    const settings = answerSettings(config(`cookies: { secretFile: ${file.path} }`), clock);
    const secrets = () => settings.options.cookies?.secrets();
    expect(secrets()).toEqual({ active: secret(0x11), accepted: [] });
    const same = config(`cookies: { secretFile: ${file.path} }`);
    file.write(`${'22'.repeat(16)}\n${'11'.repeat(16)}\n`);
    settings.check?.(same);
    expect(secrets()).toEqual({ active: secret(0x11), accepted: [] });
    settings.use(same);
    expect(secrets()).toEqual({ active: secret(0x22), accepted: [secret(0x11)] });
    file.write('not a secret');
    expect(() => settings.check?.(same)).toThrow(
      /cookie-secrets.*line 1 is not a secret of 32 hexadecimal digits/,
    );
    expect(secrets()).toEqual({ active: secret(0x22), accepted: [secret(0x11)] });
  });

  it('stop the start when the file cannot be used, without telling what is in it', () => {
    const file = secretFile('0123456789abcdef');
    const start = () => answerSettings(config(`cookies: { secretFile: ${file.path} }`), clock);
    expect(start).toThrow(/line 1 is not a secret/);
    expect(start).not.toThrow(/0123456789abcdef/);
    const missing = config(`cookies: { secretFile: ${file.path}.missing }`);
    expect(() => answerSettings(missing, clock)).toThrow(
      /dns\.cookies\.secretFile.*cannot be read/,
    );
  });
});

describe('the settings of time-outs', () => {
  it('tell clients the idle time-out that holds', () => {
    const settings = answerSettings(config('tcp: { idleTimeout: 7s }'), clock);
    expect(settings.options.keepaliveMs?.()).toBe(7_000);
    settings.use(config('tcp: { idleTimeout: 9s }'));
    expect(settings.options.keepaliveMs?.()).toBe(9_000);
  });
});
