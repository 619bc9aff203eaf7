import { type Static, Type } from 'typebox';
import type { Device, DeviceKey, Model } from '../../policy/model.ts';
import {
  KEY_ALGORITHMS,
  KEY_TRANSFERS_MAX,
  OVERLAP_SECONDS_DEFAULT,
  OVERLAP_SECONDS_MAX,
} from '../../publish/edits/index.ts';
import { indexOfKeys } from '../../publish/key-index.ts';
import type { KeyUse } from '../../publish/store-port.ts';
import { IdSchema, isoTime, nullable } from './common.ts';

const AlgorithmSchema = Type.Enum([...KEY_ALGORITHMS]);
const TransfersMaxSchema = nullable(
  Type.Integer({
    minimum: 1,
    maximum: KEY_TRANSFERS_MAX,
    description:
      'Transfers that it may have signed for at the same time; null for what the settings say (dns.transfers.runningPerKeyMax).',
  }),
);

export const KeySchema = Type.Object({
  id: IdSchema,
  name: Type.String({ examples: ['resolver-1.key.acme.sluice.internal.'] }),
  algorithm: AlgorithmSchema,
  transfersMax: TransfersMaxSchema,
  createdAt: Type.String({ format: 'date-time' }),
  expiresAt: nullable(
    Type.String({
      format: 'date-time',
      description: 'When it ends by itself, because another takes over.',
    }),
  ),
  replacedBy: nullable(
    Type.Integer({ description: 'The key that a rotation made to take over from it.' }),
  ),
  firstUsedAt: nullable(
    Type.String({
      format: 'date-time',
      description:
        'When it first signed a question about a zone (SOA or transfer) or an acknowledgement of a NOTIFY; null while it never did.',
    }),
  ),
  lastUsedAt: nullable(Type.String({ format: 'date-time' })),
  lastUsedFrom: nullable(
    Type.String({
      description: 'The address, or the endpoint that a NOTIFY went to.',
      examples: ['192.0.2.53'],
    }),
  ),
  uses: Type.Integer({ minimum: 0, description: 'How often, roughly.' }),
});

export const NewKeySchema = Type.Object(
  { algorithm: Type.Optional(AlgorithmSchema), transfersMax: Type.Optional(TransfersMaxSchema) },
  { additionalProperties: false, examples: [{ algorithm: 'hmac-sha256' }] },
);

export const KeyPatchSchema = Type.Object(
  { transfersMax: Type.Optional(TransfersMaxSchema) },
  { additionalProperties: false, examples: [{ transfersMax: 2 }] },
);

export const RotationSchema = Type.Object(
  {
    overlap: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 0,
          maximum: OVERLAP_SECONDS_MAX,
          default: OVERLAP_SECONDS_DEFAULT,
          description:
            'Seconds for which the keys that it has now stay valid at the longest; 0 revokes them at once. With null they stay until the device has used the new one, however long that takes. In either case they end tsig.retireAfter after it has.',
        }),
      ),
    ),
    algorithm: Type.Optional(AlgorithmSchema),
    transfersMax: Type.Optional(TransfersMaxSchema),
  },
  { additionalProperties: false, examples: [{ overlap: 86_400 }] },
);

/** Of a published model. */
export function keysOf(device: Device, model: Model): readonly DeviceKey[] {
  return indexOfKeys(model.keys).ofDevice(device.id);
}

/** Never the secret. */
export function keyView(key: DeviceKey, use: KeyUse | undefined): Static<typeof KeySchema> {
  const { id, name, algorithm, transfersMax, createdAt, expiresAt, replacedBy } = key;
  return {
    id,
    name,
    algorithm,
    transfersMax,
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
    replacedBy,
    firstUsedAt: use === undefined ? null : isoTime(use.firstUsedAt),
    lastUsedAt: use === undefined ? null : isoTime(use.lastUsedAt),
    lastUsedFrom: use?.lastUsedFrom ?? null,
    uses: use?.uses ?? 0,
  };
}
