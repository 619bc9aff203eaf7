import { join } from 'node:path';
import type { Action } from '../policy/action.ts';
import type { BundleFilter, DeviceProfile, DeviceType, PolicyType } from '../policy/model.ts';
import { ConfigurationError, inReadingOrder, type Problem } from './problem.ts';
import { actionOf } from './sample-action.ts';
import { checkSampleCatalogue } from './sample-checks.ts';
import { readSampleFile, readTargetFolder } from './sample-files.ts';
import { BUNDLES_FILE, DEVICES_FILE, POLICIES_FILE } from './sample-tables.ts';
import type { SampleTarget } from './sample-target-file.ts';
import type { ValueOf } from './shape.ts';

/** The shipped catalogue: what a new database starts with. Things refer to each other by name. */
export interface SampleCatalogue {
  readonly targets: readonly SampleTarget[];
  readonly bundles: readonly SampleBundle[];
  readonly policies: readonly SamplePolicy[];
  readonly devices: readonly SampleDevice[];
}

export interface SampleBundle {
  readonly name: string;
  readonly description: string;
  readonly filter: BundleFilter;
}

export interface SamplePolicy {
  readonly name: string;
  readonly type: PolicyType;
  readonly description: string;
  /** Null for the configured default. */
  readonly ttlSeconds: number | null;
  readonly hostsMax: number | null;
  readonly defaultAction: Action;
  readonly attachments: readonly {
    readonly kind: 'target' | 'bundle';
    readonly name: string;
    readonly action: Action;
  }[];
  readonly excludedTargets: readonly string[];
}

/** Known by its source addresses; has no key and hears no NOTIFY. */
export interface SampleDevice {
  readonly name: string;
  readonly description: string;
  readonly type: DeviceType;
  readonly profile: DeviceProfile;
  readonly sources: readonly string[];
  readonly policy: string;
}

/**
 * Reads the folder `zones/`: targets/*.txt, bundles.yaml, policies.yaml and devices.yaml. Throws a
 * ConfigurationError with every problem of every file. The indicators themselves are checked where
 * they are taken in, like those of any other target.
 */
export function loadSampleCatalogue(directory: string): SampleCatalogue {
  const problems: Problem[] = [];
  const targets = readTargetFolder(join(directory, 'targets'), problems);
  const bundles = readSampleFile(BUNDLES_FILE, join(directory, 'bundles.yaml'), problems);
  const policies = readSampleFile(POLICIES_FILE, join(directory, 'policies.yaml'), problems);
  const devices = readSampleFile(DEVICES_FILE, join(directory, 'devices.yaml'), problems);
  // What cannot be read would be missed by everything that refers to it: one thing after the other.
  if (bundles === null || policies === null || devices === null || problems.length > 0) {
    throw new ConfigurationError(inReadingOrder(problems));
  }
  refuseWith(checkSampleCatalogue({ targets, bundles, policies, devices }));
  return {
    targets,
    bundles: bundles.value.bundles.map((bundle) => ({ ...bundle, filter: given(bundle.filter) })),
    policies: policies.value.policies.map(policyOf),
    devices: devices.value.devices,
  };
}

/** Reads zones/builtin: the targets that every policy contains. */
export function loadBuiltInTargets(directory: string): readonly SampleTarget[] {
  const problems: Problem[] = [];
  const targets = readTargetFolder(join(directory, 'builtin'), problems);
  refuseWith(problems);
  return targets;
}

function refuseWith(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigurationError(inReadingOrder(problems));
}

function policyOf(written: ValueOf<typeof POLICIES_FILE>['policies'][number]): SamplePolicy {
  const { attachments, defaultAction, ...rest } = written;
  const usual = written.type === 'ip' ? 'block' : 'nxdomain';
  return {
    ...rest,
    defaultAction: { kind: defaultAction ?? usual },
    attachments: attachments.map(({ target, bundle, ...action }) => ({
      kind: target === null ? 'bundle' : 'target',
      name: target ?? bundle ?? '',
      action: actionOf(action),
    })),
  };
}

/** The conditions that were written: neither null nor an empty list. */
function given(filter: ValueOf<typeof BUNDLES_FILE>['bundles'][number]['filter']): BundleFilter {
  const conditions = Object.entries(filter).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(conditions);
}
