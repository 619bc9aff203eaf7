import { getPublicSuffix } from 'tldts';
import { Catalogue } from '../../src/indicators/catalogue.ts';
import type { AccountId, Model } from '../../src/policy/model.ts';
import {
  createAccount,
  type Edit,
  type EditSettings,
  memberKinds,
} from '../../src/publish/edits/index.ts';
import { emptyModel } from '../../src/publish/entity-codec.ts';
import { createDraft } from '../../src/publish/model-draft.ts';
import type { EntityKind } from '../../src/publish/store-port.ts';

export interface EditScene {
  readonly catalogue: Catalogue;
  readonly model: Model;
  readonly time: { now: number };
  /** Runs one edit like the publisher does: what it throws changes nothing. */
  run<Value>(edit: (edit: Edit) => Value, system?: boolean): Value;
}

/** A model in memory with one account, and the drafts that the publisher makes. */
export function editScene(overrides: Partial<EditSettings> = {}): EditScene {
  const catalogue = new Catalogue();
  const time = { now: Date.UTC(2030, 0, 31, 12) };
  let model: Model = emptyModel();
  let nextIds: ReadonlyMap<EntityKind, number> = new Map();
  let octet = 0;
  const settings: EditSettings = {
    root: 'sluice.internal.',
    ownerOctetsMax: 200,
    isPublicSuffix: (name) => getPublicSuffix(name) === name,
    memberKinds: (members) => memberKinds(catalogue, members),
    keyAlgorithms: ['hmac-sha256'],
    randomBytes: (octets) => new Uint8Array(octets).fill(octet++),
    ...overrides,
  };
  const run: EditScene['run'] = (edit, system = false) => {
    const draft = createDraft({ model, catalogue, now: time.now, nextIds });
    const value = edit({ draft, settings, accountId: 1 as AccountId, system });
    const finished = draft.finish();
    model = finished.model;
    nextIds = finished.nextIds;
    return value;
  };
  run((edit) => createAccount(edit, { label: 'acme', name: 'Acme' }));
  return {
    catalogue,
    time,
    run,
    get model() {
      return model;
    },
  };
}
