import { Type } from 'typebox';
import { ROLLBACK_ZONES } from '../../publish/edits/index.ts';
import { SerialSchema } from './zone-view.ts';

export const NewRollbackSchema = Type.Object(
  {
    serial: SerialSchema,
    zone: Type.Optional(
      Type.Enum([...ROLLBACK_ZONES], {
        description:
          'IP policies: the zone that the serial is of, block when not given. The other goes to what it held at that moment.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ serial: 1_896_091_200 }] },
);
