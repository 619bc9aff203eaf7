import { Type } from 'typebox';
import type { UserList } from '../../policy/model.ts';
import { shareList, unshareList } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { IdSchema } from '../views/common.ts';
import { ListSchema, listView } from '../views/list-view.ts';
import type { ApiApp } from './app-type.ts';

const ShareParams = Type.Object({
  id: IdSchema,
  label: Type.String({
    minLength: 1,
    maxLength: 63,
    description: 'Label of the other account.',
    examples: ['other'],
  }),
});

/** Which accounts may read a list and attach it. */
export function registerListShares(app: ApiApp, context: ApiContext): void {
  const { catalogue } = context.options.publisher;
  const common = {
    access: 'editor',
    tag: 'lists',
    locks: 'list',
    url: '/lists/:id/shares/:label',
    params: ShareParams,
    answer: { list: ListSchema },
    view: (list: UserList, request: Parameters<ApiContext['viewer']>[0]) => ({
      list: listView(list, { ...context.viewer(request), catalogue }),
    }),
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'PUT',
    action: 'list.share',
    summary: 'Share a list with another account',
    description: 'It may read the list and attach it to its policies, and change nothing of it.',
    edit: (edit, { params }) => shareList(edit, params.id, params.label),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    action: 'list.unshare',
    summary: 'Take a share back',
    description:
      'Refused while policies of the other account attach the list, unless detach is given.',
    query: Type.Object({
      detach: Type.Optional(
        Type.Boolean({ description: 'Detach the list from those policies in the same change.' }),
      ),
    }),
    edit: (edit, { params: { id, label }, query: { detach = false } }) =>
      unshareList(edit, id, { label, detach }),
  });
}
