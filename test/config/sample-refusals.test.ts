import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, loadSampleCatalogue } from '../../src/config/index.ts';

/** A small catalogue without a mistake; each test makes one. */
const FILES = {
  'targets/bad.txt': `# name: Bad names
# description: Names.
# severity: 4
# confidence: 90
# risk: 80
# danger: high
# iocType: domain
# threatType: phishing
# trafficType: outbound
# tags: mail, fraud
#
bad.example
`,
  'targets/good.txt': `# name: Good names
# description: Names.
# severity: 0
# confidence: 90
# risk: 0
# danger: none
# iocType: domain
# threatType: trusted
# trafficType: outbound
# tags: allow-list
# supportsAllow: true
#
good.example
`,
  'bundles.yaml': `bundles:
  - name: Critical
    description: What is bad.
    filter:
      severityMin: 4
  - name: Nuisance
    description: What is not.
    filter:
      severityMax: 1
`,
  'policies.yaml': `policies:
  - name: names
    type: dns
    description: For resolvers.
    defaultAction: nodata
    attachments:
      - bundle: Critical
        action: nxdomain
      - target: Bad names
        action: redirect
        to: garden.example.
      - bundle: Nuisance
        action: local-data
        records:
          - type: A
            data: 192.0.2.80
          - type: TXT
            data: blocked
      - target: Good names
        action: allow
    excludedTargets:
      - Bad names
  - name: edge
    type: ip
    description: For firewalls.
    hostsMax: 100
    attachments:
      - bundle: Critical
        action: block
`,
  'devices.yaml': `devices:
  - name: resolver
    description: A resolver.
    type: dns
    profile: generic
    sources: [127.0.0.0/8, "::1/128"]
    policy: names
`,
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-zones-'));
  mkdirSync(join(directory, 'targets'));
  for (const [name, content] of Object.entries(FILES)) {
    writeFileSync(join(directory, name), content);
  }
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Changes the first place where `from` stands in a file. */
function edit(name: string, from: string, to: string): void {
  const file = join(directory, name);
  const text = readFileSync(file, 'utf8');
  expect(text, `${name} has no ${from}`).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

/** What is told about the catalogue, a line for each problem, without the name of the folder. */
function refusal(): string[] {
  try {
    loadSampleCatalogue(directory);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.message.replaceAll(`${directory}/`, '').split('\n');
    }
    throw error;
  }
  return [];
}

describe('a wrong sample catalogue', () => {
  it('is not this one, which the tests below break', () => {
    expect(refusal()).toEqual([]);
  });

  it.each([
    [
      'targets/bad.txt',
      'severity: 4',
      'severity: 6',
      'targets/bad.txt:3:13: severity: 6 is not a whole number (0-5)',
    ],
    [
      'targets/bad.txt',
      '# danger: high\n',
      '',
      'targets/bad.txt:1:1: danger: is missing: it must be one of none, low, medium, high, critical',
    ],
    [
      'targets/bad.txt',
      'danger: high',
      'danger:',
      'targets/bad.txt:6:10: danger: has no value: it must be one of none, low, medium, high, critical',
    ],
    [
      'targets/bad.txt',
      '# severity: 4',
      '# severity: 4\n# severity: 4',
      'targets/bad.txt:4:3: severity: is given twice, first in line 3',
    ],
    [
      'targets/bad.txt',
      '# tags: mail',
      '# tag: x\n# tags: mail',
      'targets/bad.txt:10:3: tag: is not known here, did you mean tags?',
    ],
    [
      'targets/bad.txt',
      'tags: mail',
      'tags: Mail',
      'targets/bad.txt:10:9: tags: Mail, fraud is not a list of words with commas between them: "Mail" is not one word of lower-case letters, digits and hyphens',
    ],
    [
      'targets/good.txt',
      'name: Good names',
      'name: Good names\n# partner: maybe',
      'targets/good.txt:2:12: partner: maybe is not true or false',
    ],
    [
      'bundles.yaml',
      'severityMin: 4',
      'severityMin: 9',
      'bundles.yaml:5:20: bundles[0].filter.severityMin: 9 is not a whole number (0-5)',
    ],
    [
      'bundles.yaml',
      'severityMin: 4',
      'severityMin: 4\n      severityMax: 3',
      'bundles.yaml:5:20: bundles[0].filter.severityMin: 4 is above severityMax, 3: nothing would match',
    ],
    [
      'bundles.yaml',
      'severityMin: 4',
      'danger: [worst]',
      'bundles.yaml:5:16: bundles[0].filter.danger[0]: worst is not one of none, low, medium, high, critical',
    ],
    [
      'bundles.yaml',
      'bundles:\n',
      '',
      'bundles.yaml:1:3: must be a group of keys, each with its value',
    ],
    [
      'policies.yaml',
      'name: names',
      'name: far-too-long',
      'policies.yaml:2:11: policies[0].name: far-too-long is not a policy name (1-8 letters and digits)',
    ],
    [
      'policies.yaml',
      'name: edge',
      'name: Names',
      'policies.yaml:23:11: policies[1].name: names is used twice',
    ],
    [
      'policies.yaml',
      'bundle: Critical',
      'bundle: Critcal',
      'policies.yaml:7:17: policies[0].attachments[0].bundle: there is no bundle Critcal, did you mean Critical?',
    ],
    [
      'policies.yaml',
      'target: Bad names',
      'target: Something',
      'policies.yaml:9:17: policies[0].attachments[1].target: there is no target Something',
    ],
    [
      'policies.yaml',
      'bundle: Critical',
      'bundle: Critical\n        target: Bad names',
      'policies.yaml:8:17: policies[0].attachments[0].target: name either a target or a bundle',
    ],
    [
      'policies.yaml',
      'action: nxdomain',
      'action: block',
      'policies.yaml:8:17: policies[0].attachments[0].action: block is an action of IP policies; a DNS policy says how, nxdomain for example',
    ],
    [
      'policies.yaml',
      'action: nxdomain',
      'action: allow',
      'policies.yaml:7:17: policies[0].attachments[0].bundle: only a target can be allowed',
    ],
    [
      'policies.yaml',
      'target: Good names',
      'target: Bad names',
      'policies.yaml:19:17: policies[0].attachments[3].target: Bad names does not support allow',
    ],
    [
      'policies.yaml',
      'action: block',
      'action: drop',
      'policies.yaml:29:17: policies[1].attachments[0].action: drop is not an action of IP policies, which allow or block',
    ],
    [
      'policies.yaml',
      '        to: garden.example.\n',
      '',
      'policies.yaml:9:9: policies[0].attachments[1].to: is missing: redirect needs a name to lead to',
    ],
    [
      'policies.yaml',
      'garden.example.',
      'garden.example',
      'policies.yaml:11:13: policies[0].attachments[1].to: garden.example is not an absolute name with its final dot',
    ],
    [
      'policies.yaml',
      'garden.example.',
      'rpz-drop.',
      'policies.yaml:11:13: policies[0].attachments[1].to: rpz-drop. would be another action',
    ],
    [
      'policies.yaml',
      'action: nxdomain',
      'action: nxdomain\n        to: a.example.',
      'policies.yaml:9:13: policies[0].attachments[0].to: only redirect leads somewhere',
    ],
    [
      'policies.yaml',
      'data: 192.0.2.80',
      'data: 192.0.2.800',
      'policies.yaml:15:11: policies[0].attachments[2].records: 192.0.2.800 is not an address for type A',
    ],
    [
      'policies.yaml',
      'type: TXT',
      'type: CNAME',
      'policies.yaml:15:11: policies[0].attachments[2].records: a CNAME cannot stand beside other records',
    ],
    [
      'policies.yaml',
      'action: local-data',
      'action: nodata',
      'policies.yaml:15:11: policies[0].attachments[2].records: only local-data has records',
    ],
    [
      'policies.yaml',
      '- Bad names',
      '- Bad name',
      'policies.yaml:22:9: policies[0].excludedTargets[0]: there is no target Bad name, did you mean Bad names?',
    ],
    [
      'policies.yaml',
      'defaultAction: nodata',
      'defaultAction: block',
      'policies.yaml:5:20: policies[0].defaultAction: block is an action of IP policies; a DNS policy says how, nxdomain for example',
    ],
    [
      'policies.yaml',
      'defaultAction: nodata',
      'hostsMax: 10',
      'policies.yaml:5:15: policies[0].hostsMax: only IP policies publish hosts',
    ],
    [
      'devices.yaml',
      'policy: names',
      'policy: edge',
      'devices.yaml:7:13: devices[0].policy: edge is of type ip, the device takes dns',
    ],
    [
      'devices.yaml',
      'policy: names',
      'policy: name',
      'devices.yaml:7:13: devices[0].policy: there is no policy name, did you mean names?',
    ],
    [
      'devices.yaml',
      '127.0.0.0/8',
      '127.0.0.0',
      'devices.yaml:6:15: devices[0].sources[0]: 127.0.0.0 is not an IPv4 or IPv6 prefix such as 192.0.2.0/24',
    ],
    [
      'devices.yaml',
      '127.0.0.0/8',
      '"::1/128"',
      'devices.yaml:6:26: devices[0].sources[1]: is the same as devices[0].sources[0]',
    ],
    [
      'devices.yaml',
      'name: resolver',
      'name: re_solver',
      'devices.yaml:2:11: devices[0].name: re_solver is not a device name (1-16 letters, digits and inner hyphens)',
    ],
    [
      'devices.yaml',
      'profile: generic',
      'profile: "bind',
      'devices.yaml:5:19: Missing closing "quote',
    ],
  ])('%s with %j as %j is refused at its line', (name, from, to, expected) => {
    edit(name, from, to);
    expect(refusal()).toEqual([expected]);
  });

  it('refuses two targets of one name, upper and lower case being equal', () => {
    edit('targets/good.txt', 'name: Good names', 'name: BAD NAMES');
    const message = 'BAD NAMES is the name of the target in targets/bad.txt';
    expect(refusal()).toContain(`targets/good.txt:1:1: name: ${message}`);
  });

  it('tells the problems of all its files at once', () => {
    edit('targets/bad.txt', 'risk: 80', 'risk: 800');
    edit('targets/good.txt', 'risk: 0', 'risk: low');
    edit('policies.yaml', 'type: dns', 'type: dsn');
    rmSync(join(directory, 'devices.yaml'));
    const files = refusal().map((line) => line.split(':')[0]);
    expect(files).toEqual(['devices.yaml', 'policies.yaml', 'targets/bad.txt', 'targets/good.txt']);
  });

  it('says so when the folder is not there', () => {
    rmSync(join(directory, 'targets'), { recursive: true });
    expect(refusal()[0]).toMatch(/^targets: cannot be read: ENOENT/);
  });
});
