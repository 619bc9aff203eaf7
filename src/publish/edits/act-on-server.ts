import { refuseAllButOperator } from './accounts.ts';
import { accountOf, type Edit } from './edit.ts';

/**
 * What is done to the server itself and not to the model: nothing changes, but the change has its row
 * in the audit trail like every other. For the account that runs the server only.
 */
export function actOnServer(edit: Edit): void {
  refuseAllButOperator(edit);
  edit.draft.put('account', accountOf(edit));
}
