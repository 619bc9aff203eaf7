import type { Policy } from '../../policy/model.ts';
import { findPolicy, type Viewer } from '../../publish/edits/index.ts';
import { idQuery } from '../page.ts';

/** Query fields of lists of what policies hold. */
export const InPolicyQuery = {
  inPolicy: idQuery('Only what is in this policy now.'),
  notInPolicy: idQuery('Only what is not in this policy now.'),
};

/** Whether an id passes both conditions. Throws ModelError for a policy that the viewer cannot see. */
export function inPolicyFilter(
  viewer: Viewer,
  query: { readonly inPolicy?: number; readonly notInPolicy?: number },
  idsOf: (policy: Policy) => ReadonlySet<number>,
): (id: number) => boolean {
  const idsIn = (policyId: number | undefined): ReadonlySet<number> | null =>
    policyId === undefined ? null : idsOf(findPolicy(viewer, policyId));
  const wanted = idsIn(query.inPolicy);
  const unwanted = idsIn(query.notInPolicy);
  return (id) => (wanted === null || wanted.has(id)) && !unwanted?.has(id);
}
