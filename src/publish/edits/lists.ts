import { EMPTY_MEMBERS } from '../../policy/member-sets.ts';
import type { UserList } from '../../policy/model.ts';
import { refuseWhenFull } from './account-limits.ts';
import { type Edit, findWritableList, holderOfName, refuse } from './edit.ts';
import { openFields } from './fields.ts';
import { policiesThatAttach, usersOfList } from './list-users.ts';
import { DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX } from './targets.ts';

export const LIST_ACTIONS = ['block', 'allow'] as const satisfies readonly UserList['action'][];

/** Makes an empty list of the edit's account. Input: `name`, and optionally `description` and `action`. */
export function createList(edit: Edit, input: unknown): UserList {
  refuseWhenFull(edit, 'list');
  const list: UserList = {
    id: edit.draft.nextId('list'),
    accountId: edit.accountId,
    ...readList(edit, input, null),
    entries: new Map(),
    members: EMPTY_MEMBERS,
    sharedWith: [],
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('list', list);
  return list;
}

/** Changes the given fields. IP policies that hold the list follow its action. */
export function updateList(edit: Edit, id: number, input: unknown): UserList {
  const list = findWritableList(edit, id);
  const updated: UserList = {
    ...list,
    ...readList(edit, input, list),
    updatedAt: edit.draft.now,
  };
  edit.draft.put('list', updated);
  if (updated.action !== list.action) followAction(edit, updated);
  return updated;
}

/** Deletes a list that no policy attaches. */
export function deleteList(edit: Edit, id: number): UserList {
  const list = findWritableList(edit, id);
  const users = usersOfList(edit, list);
  if (users.length > 0) {
    throw refuse('still-in-use', 'list id', id, `Detach it first from ${users.join(', ')}.`);
  }
  edit.draft.delete('list', list.id);
  return list;
}

function readList(
  edit: Edit,
  input: unknown,
  current: UserList | null,
): Pick<UserList, 'name' | 'description' | 'action'> {
  const fields = openFields(input);
  const nameRule = { min: 1, max: NAME_LENGTH_MAX };
  const name = fields.text('name', current ? { ...nameRule, otherwise: current.name } : nameRule);
  const owner = { ownId: current?.id ?? null, accountId: edit.accountId };
  const holder = holderOfName(edit, 'list', name, owner);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `List ${holder.id} has this name.`);
  }
  const description = fields.text('description', {
    max: DESCRIPTION_LENGTH_MAX,
    otherwise: current?.description ?? '',
  });
  const action = fields.choice('action', LIST_ACTIONS, { otherwise: current?.action ?? 'block' });
  fields.close();
  return { name, description, action };
}

/** The attachment of a list in an IP policy shows the list's own action. */
function followAction(edit: Edit, list: UserList): void {
  for (const policy of policiesThatAttach(edit, list)) {
    if (policy.type !== 'ip') continue;
    const attachments = policy.attachments.map((attachment) =>
      attachment.kind === 'list' && attachment.id === list.id
        ? { ...attachment, action: { kind: list.action } }
        : attachment,
    );
    edit.draft.put('policy', { ...policy, attachments, updatedAt: edit.draft.now });
  }
}
