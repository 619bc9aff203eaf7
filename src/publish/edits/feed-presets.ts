import type { FeedPreset } from '../../policy/feed-preset.ts';
import type { Feed, Target } from '../../policy/model.ts';
import type { Edit } from './edit.ts';
import { holderOfName, refuseUnlessOperator } from './edit.ts';
import { putFeed, readSettings, settingsWith } from './feeds.ts';
import { openFields } from './fields.ts';
import { createTarget, NAME_LENGTH_MAX } from './targets.ts';

/** What turning a preset on made. */
export interface EnabledPreset {
  readonly target: Target;
  readonly feed: Feed;
}

/**
 * Makes a target with the attributes of a preset, and its feed. Input, all optional: `targetName`,
 * and under `overrides` the settings of the feed that are to be others than the preset's.
 */
export function enablePreset(edit: Edit, preset: FeedPreset, input: unknown): EnabledPreset {
  refuseUnlessOperator(edit);
  const fields = openFields(input);
  const name = fields.text('targetName', {
    min: 1,
    max: NAME_LENGTH_MAX,
    otherwise: preset.title,
  });
  const holder = holderOfName(edit, 'target', name, { ownId: null });
  if (holder !== undefined) {
    fields.refuse('name-taken', 'targetName', `Target ${holder.id} has the name "${name}".`);
  }
  const { url, format, namesAs, intervalSeconds } = preset;
  const settings = readSettings(
    edit,
    fields.inside('overrides'),
    settingsWith({
      source: { kind: 'http', url, credentials: { kind: 'none' }, allowPrivate: false },
      format,
      namesAs,
      schedule: { kind: 'interval', seconds: intervalSeconds },
    }),
  );
  fields.close();
  const target = createTarget(edit, {
    name,
    description: descriptionOf(preset),
    attributes: preset.attributes,
  });
  return { target, feed: putFeed(edit, { target, settings, preset: preset.name }) };
}

function descriptionOf({ publisher, url, licence }: FeedPreset): string {
  return `Published by ${publisher} at ${url}; licence: ${licence}`;
}
