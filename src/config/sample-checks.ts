import { nearestName } from './nearest-name.ts';
import type { Problem } from './problem.ts';
import { actionProblems } from './sample-action.ts';
import type { SampleFile } from './sample-files.ts';
import type { BUNDLES_FILE, DEVICES_FILE, POLICIES_FILE } from './sample-tables.ts';
import type { SampleTarget } from './sample-target-file.ts';
import type { Shape, ValueOf } from './shape.ts';

/** Everything of the catalogue, read and each for itself right. */
export interface SampleParts {
  readonly targets: readonly SampleTarget[];
  readonly bundles: SampleFile<typeof BUNDLES_FILE>;
  readonly policies: SampleFile<typeof POLICIES_FILE>;
  readonly devices: SampleFile<typeof DEVICES_FILE>;
}

type WrittenPolicy = ValueOf<typeof POLICIES_FILE>['policies'][number];
type WrittenAttachment = WrittenPolicy['attachments'][number];
type Refuse = (path: string, message: string) => void;

/** Checks what only shows between the parts: names, references, and what may be done with what. */
export function checkSampleCatalogue(parts: SampleParts): Problem[] {
  const problems: Problem[] = [];
  checkTargetNames(parts.targets, problems);
  checkBundles(parts, refuserOf(parts.bundles, problems));
  checkPolicies(parts, refuserOf(parts.policies, problems));
  checkDevices(parts, refuserOf(parts.devices, problems));
  return problems;
}

function refuserOf({ file, positions }: SampleFile<Shape>, problems: Problem[]): Refuse {
  return (path, message) => {
    // A value that is missing has no place of its own: the group that misses it has.
    const parent = path.slice(0, path.lastIndexOf('.'));
    const position = positions.get(path) ?? positions.get(parent) ?? null;
    problems.push({ file, position, path, message });
  };
}

function checkTargetNames(targets: readonly SampleTarget[], problems: Problem[]): void {
  const files = new Map<string, string>();
  for (const { name, file } of targets) {
    const first = files.get(name.toLowerCase());
    if (first === undefined) files.set(name.toLowerCase(), file);
    else {
      const message = `${name} is the name of the target in ${first}`;
      problems.push({ file, position: { line: 1, column: 1 }, path: 'name', message });
    }
  }
}

function checkNames(group: string, things: readonly { name: string }[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [index, { name }] of things.entries()) {
    const key = name.toLowerCase();
    if (seen.has(key)) refuse(`${group}[${index}].name`, `${name} is used twice`);
    seen.add(key);
  }
}

function checkBundles({ bundles }: SampleParts, refuse: Refuse): void {
  checkNames('bundles', bundles.value.bundles, refuse);
  for (const [index, { filter }] of bundles.value.bundles.entries()) {
    const { severityMin, severityMax } = filter;
    if (severityMin !== null && severityMax !== null && severityMin > severityMax) {
      const message = `${severityMin} is above severityMax, ${severityMax}: nothing would match`;
      refuse(`bundles[${index}].filter.severityMin`, message);
    }
  }
}

function checkPolicies(parts: SampleParts, refuse: Refuse): void {
  const { policies } = parts.policies.value;
  checkNames('policies', policies, refuse);
  for (const [index, policy] of policies.entries()) {
    const path = `policies[${index}]`;
    if (policy.hostsMax !== null && policy.type === 'dns') {
      refuse(`${path}.hostsMax`, 'only IP policies publish hosts');
    }
    checkDefaultAction(policy, path, refuse);
    for (const [number, attachment] of policy.attachments.entries()) {
      const at = (key: string, message: string) =>
        refuse(`${path}.attachments[${number}].${key}`, message);
      checkAttached(parts, attachment, at);
      for (const { key, message } of actionProblems(policy.type, attachment)) at(key, message);
    }
    for (const [number, name] of policy.excludedTargets.entries()) {
      const message = missingTarget(parts, name);
      if (message !== null) refuse(`${path}.excludedTargets[${number}]`, message);
    }
  }
}

function checkDefaultAction({ type, defaultAction }: WrittenPolicy, path: string, refuse: Refuse) {
  if (defaultAction === null) return;
  const written = { action: defaultAction, to: null, records: [] };
  for (const { message } of actionProblems(type, written)) refuse(`${path}.defaultAction`, message);
}

function checkAttached(parts: SampleParts, attachment: WrittenAttachment, refuse: Refuse): void {
  const { target, bundle, action } = attachment;
  if ((target === null) === (bundle === null)) {
    refuse('target', 'name either a target or a bundle');
    return;
  }
  if (target !== null) {
    const message = missingTarget(parts, target) ?? notAllowing(parts, target, action);
    if (message !== null) refuse('target', message);
  }
  if (bundle !== null) {
    const names = parts.bundles.value.bundles.map(({ name }) => name);
    if (!names.includes(bundle)) refuse('bundle', noSuch('bundle', bundle, names));
    // A bundle follows its filter, and may at any time hold targets that do not support it.
    else if (action === 'allow') refuse('bundle', 'only a target can be allowed');
  }
}

function missingTarget({ targets }: SampleParts, wanted: string): string | null {
  const names = targets.map(({ name }) => name);
  return names.includes(wanted) ? null : noSuch('target', wanted, names);
}

function notAllowing({ targets }: SampleParts, wanted: string, action: string): string | null {
  const found = targets.find(({ name }) => name === wanted);
  return action !== 'allow' || found?.supportsAllow ? null : `${wanted} does not support allow`;
}

function checkDevices(parts: SampleParts, refuse: Refuse): void {
  const { devices } = parts.devices.value;
  const { policies } = parts.policies.value;
  checkNames('devices', devices, refuse);
  for (const [index, device] of devices.entries()) {
    const path = `devices[${index}].policy`;
    const names = policies.map(({ name }) => name);
    const policy = policies.find(({ name }) => name === device.policy);
    if (policy === undefined) refuse(path, noSuch('policy', device.policy, names));
    else if ((policy.type === 'ip') !== (device.type === 'ip')) {
      refuse(path, `${policy.name} is of type ${policy.type}, the device takes ${device.type}`);
    }
  }
}

function noSuch(what: string, name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  return `there is no ${what} ${name}${near === null ? '' : `, did you mean ${near}?`}`;
}
