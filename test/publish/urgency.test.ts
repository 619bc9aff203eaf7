import { describe, expect, it } from 'vitest';
import type { PolicyId } from '../../src/policy/model.ts';
import { changeIndicators, updatePolicy, updateTarget } from '../../src/publish/edits/index.ts';
import { createUrgencies } from '../../src/publish/urgency.ts';
import { openHouse } from '../support/house.ts';
import { addList, addPolicy, addTarget, NXDOMAIN } from '../support/scene.ts';

/** Two targets of severity 2 and 4 in one policy, a list in another. */
async function scene() {
  const house = await openHouse();
  const { value } = await house.edit((edit) => {
    const mild = addTarget(edit, 'mild', ['mild.example']);
    const bad = addTarget(edit, 'bad', ['bad.example']);
    updateTarget(edit, mild, { attributes: { severity: 2 } });
    updateTarget(edit, bad, { attributes: { severity: 4 } });
    const list = addList(edit, 'own', ['own.example']);
    const targets = [
      [mild, NXDOMAIN],
      [bad, NXDOMAIN],
    ] as const;
    const corp = addPolicy(edit, 'corp', 'dns', { targets });
    const branch = addPolicy(edit, 'branch', 'dns', { lists: [[list, NXDOMAIN]] });
    return { mild, bad, corp, branch };
  });
  const urgencies = async (change: Parameters<typeof house.edit>[0]) => {
    const before = house.publisher.state;
    await house.edit(change);
    const of = createUrgencies(before, house.publisher.state);
    return { corp: of(value.corp as PolicyId), branch: of(value.branch as PolicyId) };
  };
  return { ...value, urgencies };
}

const added = (name: string) => ({ add: Buffer.from(name) });

describe('how urgent an edit is for the devices of a policy', () => {
  it('is the severity of the target that changed', async () => {
    const { mild, bad, urgencies } = await scene();
    expect(await urgencies((edit) => changeIndicators(edit, mild, added('a.example')))).toEqual({
      corp: 2,
      branch: 0,
    });
    expect(await urgencies((edit) => changeIndicators(edit, bad, added('b.example')))).toEqual({
      corp: 4,
      branch: 0,
    });
  });

  it('is the highest of those that changed together', async () => {
    const { mild, bad, urgencies } = await scene();
    const both = await urgencies((edit) => {
      changeIndicators(edit, bad, added('c.example'));
      changeIndicators(edit, mild, added('d.example'));
    });
    expect(both.corp).toBe(4);
  });

  it('is that of a target which comes or goes', async () => {
    const { bad, mild, corp, urgencies } = await scene();
    const attach = (ids: readonly number[]) => (edit: Parameters<typeof updatePolicy>[0]) =>
      updatePolicy(edit, corp, {
        attachments: ids.map((id) => ({ kind: 'target', id, action: NXDOMAIN })),
      });
    expect((await urgencies(attach([mild]))).corp).toBe(4);
    expect((await urgencies(attach([bad]))).corp).toBe(4);
    expect((await urgencies(attach([bad, mild]))).corp).toBe(2);
  });

  it('is nothing for zones of no policy', async () => {
    const { publisher } = await openHouse();
    expect(createUrgencies(publisher.state, publisher.state)(null)).toBe(0);
  });
});
