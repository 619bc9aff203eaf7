import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadClientSecret, parseConfig } from '../../src/config/index.ts';

function load(content: string | null) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-secret-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'secret');
  if (content !== null) writeFileSync(file, content);
  const yaml = `http: {openid: {clientSecretFile: ${file}}}`;
  return { file, secret: () => loadClientSecret(parseConfig(yaml, 'test')) };
}

it('the client secret is the one line of its file', () => {
  expect(load('s3cret of the client\n').secret()).toBe('s3cret of the client');
  expect(loadClientSecret(parseConfig('', 'test'))).toBeNull();
});

it('a file of the client secret that is missing or empty is refused by its name', () => {
  const missing = load(null);
  expect(missing.secret).toThrow(
    `${missing.file}: which http.openid.clientSecretFile names, cannot be read: ENOENT`,
  );
  const empty = load(' \n');
  expect(empty.secret).toThrow(`${empty.file}: is empty`);
});
