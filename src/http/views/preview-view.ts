import { type Static, Type } from 'typebox';
import { IdSchema, nullable } from './common.ts';

const SizeSchema = Type.Integer({ description: 'Resource records, the SOA counted once.' });

/** What a change would do to one zone. */
const ZonePreviewSchema = Type.Object({
  origin: Type.String({ examples: ['rpz.corp.main.sluice.internal.'] }),
  policyId: nullable(IdSchema),
  deviceId: nullable(IdSchema),
  fromSerial: nullable(Type.Integer({ description: 'Null for a new zone.' })),
  recordsBefore: SizeSchema,
  recordsAfter: SizeSchema,
  recordsRemoved: Type.Integer(),
  recordsAdded: Type.Integer(),
  removed: Type.Array(Type.String(), {
    description: 'The first of them, as lines of a zone file.',
  }),
  added: Type.Array(Type.String(), { description: 'The first of them, as lines of a zone file.' }),
});

const WarningSchema = Type.Object({
  code: Type.Enum([
    'never-block',
    'private-address',
    'own-address',
    'shrinks',
    'grows',
    'over-capacity',
  ]),
  zone: Type.String(),
  text: Type.String({ description: 'What is unusual, as a sentence.' }),
  /** Whether it is above a limit at which changes are held. */
  holds: Type.Boolean(),
});

export const PreviewSchema = Type.Object({
  zones: Type.Array(ZonePreviewSchema),
  devices: Type.Array(
    Type.Object({
      id: IdSchema,
      name: Type.String(),
      records: SizeSchema,
      recordsMax: nullable(Type.Integer({ description: 'What the device can take.' })),
      over: Type.Integer({ description: 'Records above what it can take; 0 when it fits.' }),
    }),
    { description: 'Devices that pull a zone of these, with its size against their capacity.' },
  ),
  warnings: Type.Array(WarningSchema),
});
export type PreviewView = Static<typeof PreviewSchema>;

export const PreviewAnswerSchema = Type.Object(
  { dryRun: Type.Literal(true), preview: PreviewSchema },
  { description: 'What the change would do. Nothing was changed.' },
);

export const HeldAnswerSchema = Type.Object(
  {
    held: Type.Object({
      id: IdSchema,
      reasons: Type.Array(Type.String()),
      expiresAt: Type.String({ format: 'date-time' }),
    }),
    preview: PreviewSchema,
  },
  { description: 'The change is above the configured limits and waits to be confirmed.' },
);
export type HeldView = Static<typeof HeldAnswerSchema>['held'];
