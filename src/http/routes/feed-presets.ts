import { type Static, Type } from 'typebox';
import type { FeedPreset } from '../../policy/feed-preset.ts';
import { enablePreset, notFound, refuseFeedsUnlessOperator } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { type Columns, cutPage, listQuery, pageSchema } from '../page.ts';
import { answers } from '../views/common.ts';
import {
  EnablePresetSchema,
  FeedPresetSchema,
  feedPresetView,
  targetsOfPreset,
} from '../views/feed-preset-view.ts';
import { FeedSchema } from '../views/feed-view.ts';
import { TargetSchema, targetView } from '../views/target-view.ts';
import type { ApiApp } from './app-type.ts';
import { viewOf } from './feeds.ts';

const tags = ['feeds'];

const COLUMNS: Columns<FeedPreset> = {
  name: ({ name }) => name,
  title: ({ title }) => title,
  publisher: ({ publisher }) => publisher,
  licence: ({ licence }) => licence,
  intervalSeconds: ({ intervalSeconds }) => intervalSeconds,
  severity: ({ attributes }) => attributes.severity,
  confidence: ({ attributes }) => attributes.confidence,
  verified: ({ verified }) => Number(verified),
};
const word = Type.Optional(Type.String({ maxLength: 100 }));

const ListPresetsQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    iocType: word,
    threatType: word,
    verified: Type.Optional(Type.Boolean()),
    enabled: Type.Optional(
      Type.Boolean({ description: 'Whether a target has a feed made from it.' }),
    ),
  },
  { additionalProperties: false },
);
const PresetParams = Type.Object({
  name: Type.String({ maxLength: 100, examples: ['feodo-tracker'] }),
});

/** Public feeds that are known well enough to be turned on by their name. */
export function registerFeedPresets(app: ApiApp, context: ApiContext): void {
  const { feedPresets: presets, publisher } = context.options;
  const findPreset = (name: string): FeedPreset => {
    const found = presets.find((preset) => preset.name === name);
    if (found === undefined) throw notFound('feed preset', name);
    return found;
  };

  app.get(
    '/feed-presets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List feeds that can be turned on by name',
        description: 'With what is known of their terms. Nothing is asked of them before.',
        querystring: ListPresetsQuery,
        response: answers(200, pageSchema(FeedPresetSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      refuseFeedsUnlessOperator(viewer);
      const { iocType, threatType, verified, enabled } = request.query;
      const found = presets
        .filter(({ attributes }) => iocType === undefined || attributes.iocType === iocType)
        .filter(
          ({ attributes }) => threatType === undefined || attributes.threatType === threatType,
        )
        .filter((preset) => verified === undefined || preset.verified === verified)
        .filter((preset) => enabled === undefined || isEnabled(preset) === enabled);
      return cutPage(found, request.query, {
        columns: COLUMNS,
        searched: ({ name, title, publisher, note }) => [name, title, publisher, note],
        idOf: ({ name }) => name,
        sort: 'name',
        view: (preset): Static<typeof FeedPresetSchema> => feedPresetView(preset, viewer.model),
      });
    },
  );

  app.get(
    '/feed-presets/:name',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a feed that can be turned on by name',
        params: PresetParams,
        response: answers(200, FeedPresetSchema),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      refuseFeedsUnlessOperator(viewer);
      return feedPresetView(findPreset(request.params.name), viewer.model);
    },
  );

  changeRoute(app, context, {
    access: 'admin',
    tag: 'feeds',
    method: 'POST',
    url: '/feed-presets/:name/enable',
    action: 'feed.enable',
    // Of the source, among what is overridden.
    tellsSecret: true,
    summary: 'Turn a feed on by its name',
    description:
      'Makes a target with its attributes, which no policy holds yet unless a bundle brings it, and a feed that keeps it. `overrides` are settings of the feed that are to be others.',
    status: 201,
    params: PresetParams,
    body: EnablePresetSchema,
    answer: { target: TargetSchema, feed: FeedSchema },
    edit: (edit, { params, body }) => enablePreset(edit, findPreset(params.name), body),
    view: ({ target, feed }, request) => ({
      target: targetView(target, context.viewer(request)),
      feed: viewOf(context, feed, publisher.model),
    }),
  });

  function isEnabled(preset: FeedPreset): boolean {
    return targetsOfPreset(preset, publisher.model).length > 0;
  }
}
