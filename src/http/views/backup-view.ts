import { type TSchema, Type } from 'typebox';
import { BACKUP_FORMAT, BACKUP_VERSION } from '../../publish/backup/index.ts';
import {
  ACCOUNT_MAXIMA,
  ATTACHMENT_KINDS,
  ATTACHMENTS_MAX,
  DEVICE_TYPES,
  EXCLUSIONS_MAX,
  HOSTNAMES_MAX,
  LIST_ENTRIES_MAX,
  NOTIFY_ENDPOINTS_MAX,
  type Restored,
  ROLES,
  SCOPES,
  SHARES_MAX,
  SOURCES_MAX,
} from '../../publish/edits/index.ts';
import { NamedSchema, nullable } from './common.ts';

/** What a thing is called where it is pointed to; the edits say which names are good. */
const Name = Type.String({ maxLength: 255 });
const Text = Type.String({ maxLength: 4_096 });
/** What an edit reads and checks by itself. */
const Checked = Type.Unknown();

function strict<Properties extends Record<string, TSchema>>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

const ActionSchema = Type.Object(
  { kind: Type.String() },
  {
    description:
      'As in attachments; a behaviour is `{"kind": "behaviour", "name": "…"}`, by its name.',
  },
);

const PolicyDocument = strict({
  name: Name,
  type: Type.Enum(['ip', 'dns']),
  description: Text,
  ttl: Type.Integer(),
  defaultAction: ActionSchema,
  hostsMax: nullable(Type.Integer()),
  attachments: Type.Array(
    strict({
      kind: Type.Enum([...ATTACHMENT_KINDS]),
      name: Name,
      account: Type.Optional(Type.String({ description: 'Label of who shares the list.' })),
      action: ActionSchema,
    }),
    { maxItems: ATTACHMENTS_MAX },
  ),
  excludedTargets: Type.Array(Name, { maxItems: EXCLUSIONS_MAX }),
  rolledBack: Type.Optional(Type.Literal(true)),
});

const EntryDocument = strict({
  value: Type.String({ maxLength: 1_100 }),
  comment: Text,
  expiresAt: nullable(Type.String({ format: 'date-time' })),
  createdAt: Type.String({ format: 'date-time' }),
});

const ListDocument = strict({
  name: Name,
  description: Text,
  action: Type.Enum(['block', 'allow']),
  sharedWith: Type.Array(Name, { maxItems: SHARES_MAX }),
  entries: Type.Array(EntryDocument, { maxItems: LIST_ENTRIES_MAX }),
});

const DeviceDocument = strict({
  name: Name,
  type: Type.Enum([...DEVICE_TYPES]),
  description: Text,
  scope: Type.Optional(Type.Enum([...SCOPES])),
  profile: Name,
  access: Name,
  sources: Type.Array(Name, { maxItems: SOURCES_MAX }),
  hostnames: Type.Array(Name, { maxItems: HOSTNAMES_MAX }),
  certificateName: nullable(Name),
  recordsMax: nullable(Type.Integer()),
  notify: Type.Array(Checked, { maxItems: NOTIFY_ENDPOINTS_MAX }),
  policy: nullable(strict({ name: Name, predefined: Type.Boolean() })),
  keys: Type.Array(
    strict({ name: Text, algorithm: Name, transfersMax: Type.Optional(Type.Integer()) }),
    { description: 'What has to be made anew: the secrets are not in a backup.' },
  ),
});

const CatalogueDocument = strict({
  targets: Type.Array(
    strict({
      name: Name,
      description: Text,
      attributes: Checked,
      supportsAllow: Type.Boolean(),
      partner: Type.Boolean(),
      indicators: Type.Array(Type.String()),
    }),
  ),
  bundles: Type.Array(strict({ name: Name, description: Text, filter: Checked })),
  policies: Type.Array(PolicyDocument, { maxItems: ACCOUNT_MAXIMA.policy }),
});

/** One account as a document; everything points to others by name. */
export const BackupSchema = Type.Object(
  {
    format: Type.Literal(BACKUP_FORMAT),
    version: Type.Integer({ description: `${BACKUP_VERSION} is what this server writes.` }),
    createdAt: Type.String(),
    notice: Type.String({ description: 'What is not in it.' }),
    account: Type.Object({ label: Name, name: Name }),
    catalogue: Type.Optional(CatalogueDocument),
    behaviours: Type.Array(strict({ name: Name, description: Text, action: ActionSchema }), {
      maxItems: ACCOUNT_MAXIMA.behaviour,
    }),
    lists: Type.Array(ListDocument, { maxItems: ACCOUNT_MAXIMA.list }),
    policies: Type.Array(PolicyDocument, { maxItems: ACCOUNT_MAXIMA.policy }),
    devices: Type.Array(DeviceDocument, { maxItems: ACCOUNT_MAXIMA.device }),
    users: Type.Array(strict({ name: Name, displayName: Text, role: Type.Enum([...ROLES]) }), {
      maxItems: ACCOUNT_MAXIMA.user,
    }),
  },
  {
    additionalProperties: false,
    description: 'A backup of one account.',
    examples: [
      {
        format: BACKUP_FORMAT,
        version: BACKUP_VERSION,
        createdAt: '2030-01-31T12:00:00.000Z',
        notice: 'Secrets are not in here.',
        account: { label: 'acme', name: 'Acme' },
        behaviours: [],
        lists: [
          {
            name: 'ours',
            description: '',
            action: 'block',
            sharedWith: [],
            entries: [
              {
                value: 'bad.example',
                comment: 'seen on Monday',
                expiresAt: null,
                createdAt: '2030-01-30T12:00:00.000Z',
              },
            ],
          },
        ],
        policies: [
          {
            name: 'corp',
            type: 'dns',
            description: '',
            ttl: 60,
            defaultAction: { kind: 'nxdomain' },
            hostsMax: null,
            attachments: [{ kind: 'list', name: 'ours', action: { kind: 'nxdomain' } }],
            excludedTargets: [],
          },
        ],
        devices: [],
        users: [],
      },
    ],
  },
);

const Count = Type.Integer({ minimum: 0 });
const Names = Type.Array(Type.String());

export const RestoredSchema = Type.Object({
  account: NamedSchema,
  behaviours: Count,
  lists: Count,
  entries: Count,
  entriesExpired: Type.Integer({ description: 'Left out, because their time was over.' }),
  policies: Count,
  devices: Count,
  users: Type.Integer({ description: 'Disabled, until somebody gives them a password.' }),
  targets: Count,
  bundles: Count,
  usersTaken: Type.Array(Type.String(), {
    description: 'Login names that another user of the server has; left out.',
  }),
  devicesWithoutKey: Type.Array(Type.String(), {
    description: 'Devices that need a new TSIG key before they can read by one.',
  }),
  rollbacksLost: Type.Array(Type.String(), {
    description: 'Policies that were rolled back in the backup and follow their members now.',
  }),
  targetsKept: Type.Array(Type.String(), {
    description: 'Targets of this server that the catalogue of the backup has not.',
  }),
  leftOut: Names,
});

export function restoredView(restored: Restored) {
  const { account, usersTaken, devicesWithoutKey, rollbacksLost, targetsKept, leftOut } = restored;
  return {
    ...restored,
    account: { id: account.id, name: account.name },
    usersTaken: [...usersTaken],
    devicesWithoutKey: [...devicesWithoutKey],
    rollbacksLost: [...rollbacksLost],
    targetsKept: [...targetsKept],
    leftOut: [...leftOut],
  };
}
