import {
  type Config,
  loadBuiltInTargets,
  loadSampleCatalogue,
  type SampleCatalogue,
  type SampleTarget,
} from './config/index.ts';
import type { Model } from './policy/model.ts';
import {
  changeIndicators,
  createAccount,
  createBundle,
  createDevice,
  createPolicy,
  createTarget,
  createToken,
  type Edit,
  type EditSettings,
} from './publish/edits/index.ts';
import type { RunningPublisher } from './publish/index.ts';
import type { ModelDraft } from './publish/publisher.ts';

/** Puts into a new database what it begins with. Returns the admin token, which is shown this once. */
export async function beginDatabase(options: {
  readonly publisher: RunningPublisher;
  readonly edits: EditSettings;
  readonly config: Config;
  readonly zonesDirectory: string;
}): Promise<string> {
  const { publisher, edits, config, zonesDirectory } = options;
  const builtIn = loadBuiltInTargets(zonesDirectory);
  const samples = config.sampleCatalogue ? loadSampleCatalogue(zonesDirectory) : null;
  const { value } = await publisher.change({ actor: 'sluice', action: 'first start' }, (draft) =>
    beginModel({
      draft,
      settings: edits,
      accountLabel: config.account,
      builtIn,
      samples,
      policyTtl: config.policies.ttlSeconds,
    }),
  );
  return value.adminToken;
}

/** What a new database begins with, in one edit: it is there whole or not at all. Returns the admin token. */
function beginModel(options: {
  readonly draft: ModelDraft;
  readonly settings: EditSettings;
  readonly accountLabel: string;
  readonly builtIn: readonly SampleTarget[];
  /** Null for a server that starts empty. */
  readonly samples: SampleCatalogue | null;
  readonly policyTtl: number;
}): { readonly adminToken: string } {
  const { draft, settings, accountLabel, builtIn, samples, policyTtl } = options;
  const account = createAccount(
    { draft, settings, system: true },
    { label: accountLabel, name: 'Main account' },
  );
  const edit: Edit = { draft, settings, accountId: account.id, system: true };
  for (const target of builtIn) addTarget(edit, target, 'built-in');
  if (samples !== null) addSamples(edit, samples, policyTtl);
  return { adminToken: createToken(edit, { name: 'admin', role: 'admin' }).secret };
}

/** Whether the database has been begun. */
export function isBegun(model: Model): boolean {
  return model.accounts.size > 0;
}

function addTarget(edit: Edit, sample: SampleTarget, origin: 'built-in' | 'sample'): void {
  const { name, description, attributes, supportsAllow, partner, lines, file } = sample;
  const target = createTarget(edit, {
    name,
    description,
    attributes,
    supportsAllow,
    partner,
    origin,
  });
  const { rejected } = changeIndicators(edit, target.id, {
    add: Buffer.from(lines),
    confirmBroad: true,
  });
  const first = rejected[0];
  // Shipped files are ours: a line that is refused is a defect, not something to pass over.
  if (first !== undefined) throw new Error(`${file}:${first.line}: "${first.text}": ${first.rule}`);
}

function addSamples(edit: Edit, samples: SampleCatalogue, policyTtl: number): void {
  for (const target of samples.targets) addTarget(edit, target, 'sample');
  for (const bundle of samples.bundles) createBundle(edit, bundle);
  const { model } = edit.draft;
  const idOf = (kind: 'target' | 'bundle' | 'policy', name: string): number => {
    const all = { target: model.targets, bundle: model.bundles, policy: edit.draft.model.policies }[
      kind
    ];
    for (const entity of all.values()) if (entity.name === name) return entity.id;
    throw new Error(`the sample catalogue has no ${kind} "${name}"`);
  };
  for (const { ttlSeconds, attachments, excludedTargets, ...policy } of samples.policies) {
    createPolicy(edit, {
      ...policy,
      ttl: ttlSeconds ?? policyTtl,
      predefined: true,
      attachments: attachments.map(({ kind, name, action }) => ({
        kind,
        id: idOf(kind, name),
        action,
      })),
      excludedTargets: excludedTargets.map((name) => idOf('target', name)),
    });
  }
  for (const { policy, ...device } of samples.devices) {
    createDevice(edit, { ...device, access: 'source', policyId: idOf('policy', policy) });
  }
}
