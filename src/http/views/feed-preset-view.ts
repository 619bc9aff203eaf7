import { type Static, Type } from 'typebox';
import type { FeedPreset } from '../../policy/feed-preset.ts';
import type { Model, Target } from '../../policy/model.ts';
import { NAMES_AS } from '../../publish/edits/index.ts';
import { NamedSchema, nullable } from './common.ts';
import { FeedFormatSchema, FeedSettingsSchema, formatView } from './feed-view.ts';
import { AttributesSchema, attributesView, NameSchema } from './target-view.ts';

export const FeedPresetSchema = Type.Object({
  name: Type.String({ examples: ['feodo-tracker'] }),
  title: Type.String({ description: 'The name of the target that it makes.' }),
  url: Type.String(),
  publisher: Type.String(),
  licence: Type.String({ description: 'As its publisher says, or where to read it.' }),
  licenceUrl: nullable(Type.String()),
  format: FeedFormatSchema,
  namesAs: Type.Enum([...NAMES_AS]),
  intervalSeconds: Type.Integer(),
  attributes: AttributesSchema,
  note: Type.String({ description: 'What to know before; empty for nothing.' }),
  verified: Type.Boolean({ description: 'Whether address and format could be checked.' }),
  targets: Type.Array(NamedSchema, { description: 'Those that have a feed made from it.' }),
});

export const EnablePresetSchema = Type.Object(
  {
    targetName: Type.Optional(NameSchema),
    overrides: Type.Optional(FeedSettingsSchema),
  },
  {
    additionalProperties: false,
    examples: [{ targetName: 'Botnet controllers', overrides: { gates: { shrinkPercent: 30 } } }],
  },
);

export function feedPresetView(preset: FeedPreset, model: Model): Static<typeof FeedPresetSchema> {
  const { name, title, url, publisher, licence, licenceUrl, namesAs, intervalSeconds } = preset;
  return {
    name,
    title,
    url,
    publisher,
    licence,
    licenceUrl,
    format: formatView(preset.format),
    namesAs,
    intervalSeconds,
    attributes: attributesView(preset.attributes),
    note: preset.note,
    verified: preset.verified,
    targets: targetsOfPreset(preset, model).map(({ id, name }) => ({ id, name })),
  };
}

/** The targets that have a feed made from the preset. */
export function targetsOfPreset(
  { name }: FeedPreset,
  { feeds, targets }: Pick<Model, 'feeds' | 'targets'>,
): readonly Target[] {
  const made = [...feeds.values()].filter(({ preset }) => preset === name);
  return made.flatMap(({ targetId }) => targets.get(targetId) ?? []);
}
