import type { Behaviour, Policy } from '../../policy/model.ts';
import { refuseWhenFull } from './account-limits.ts';
import { readBehaviourAction } from './actions.ts';
import { type Edit, findBehaviour, holderOfName, refuse, viewerOf } from './edit.ts';
import { openFields } from './fields.ts';
import { DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX } from './targets.ts';

/** Makes a behaviour of the edit's account. Input: `name`, `action`, and optionally `description`. */
export function createBehaviour(edit: Edit, input: unknown): Behaviour {
  refuseWhenFull(edit, 'behaviour');
  const behaviour: Behaviour = {
    id: edit.draft.nextId('behaviour'),
    accountId: edit.accountId,
    ...readBehaviour(edit, input, null),
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('behaviour', behaviour);
  return behaviour;
}

/** Changes the given fields. Every policy that uses the behaviour follows it in the same change. */
export function updateBehaviour(edit: Edit, id: number, input: unknown): Behaviour {
  const behaviour = findBehaviour(viewerOf(edit), id);
  const updated: Behaviour = {
    ...behaviour,
    ...readBehaviour(edit, input, behaviour),
    updatedAt: edit.draft.now,
  };
  edit.draft.put('behaviour', updated);
  return updated;
}

/** Deletes a behaviour that no policy uses. */
export function deleteBehaviour(edit: Edit, id: number): Behaviour {
  const behaviour = findBehaviour(viewerOf(edit), id);
  const users = [...edit.draft.model.policies.values()]
    .filter((policy) => usesBehaviour(policy, behaviour.id))
    .map(({ name }) => `policy "${name}"`);
  if (users.length > 0) {
    const rule = `Give another action first in ${users.join(', ')}.`;
    throw refuse('still-in-use', 'behaviour id', id, rule);
  }
  edit.draft.delete('behaviour', behaviour.id);
  return behaviour;
}

/** Whether the policy names the behaviour, for an attachment or as its default action. */
export function usesBehaviour(policy: Policy, id: Behaviour['id']): boolean {
  return [policy.defaultAction, ...policy.attachments.map(({ action }) => action)].some(
    (action) => action.kind === 'behaviour' && action.id === id,
  );
}

function readBehaviour(
  edit: Edit,
  input: unknown,
  current: Behaviour | null,
): Pick<Behaviour, 'name' | 'description' | 'action'> {
  const fields = openFields(input);
  const nameRule = { min: 1, max: NAME_LENGTH_MAX };
  const name = fields.text('name', current ? { ...nameRule, otherwise: current.name } : nameRule);
  const owner = { ownId: current?.id ?? null, accountId: edit.accountId };
  const holder = holderOfName(edit, 'behaviour', name, owner);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Behaviour ${holder.id} has this name.`);
  }
  const description = fields.text('description', {
    max: DESCRIPTION_LENGTH_MAX,
    otherwise: current?.description ?? '',
  });
  if (current === null && !fields.has('action')) {
    fields.refuse('field-missing', 'action', 'The field is required.');
  }
  const action =
    current !== null && !fields.has('action')
      ? current.action
      : readBehaviourAction(fields, 'action');
  fields.close();
  return { name, description, action };
}
