import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_ERRORS, ModelError } from '../../src/policy/model-error.ts';
import {
  assignPolicy,
  attach,
  attachAsTargets,
  changeAttachment,
  changeEntries,
  changeIndicators,
  createAccount,
  createBehaviour,
  createBundle,
  createDevice,
  createKey,
  createList,
  createPolicy,
  createTarget,
  createToken,
  duplicatePolicy,
  type Edit,
  updateBehaviour,
  updateBundle,
  updateDevice,
  updateList,
  updatePolicy,
  updateTarget,
} from '../../src/publish/edits/index.ts';
import { type EditScene, editScene } from './edits-scene.ts';

/** Every edit that takes input, applied to things that exist. */
const EDITS: Readonly<Record<string, (edit: Edit, input: unknown) => unknown>> = {
  createAccount,
  createTarget,
  createBundle,
  createList,
  createPolicy,
  createBehaviour,
  createDevice,
  createToken,
  updateTarget: (edit, input) => updateTarget(edit, 1, input),
  updateBundle: (edit, input) => updateBundle(edit, 1, input),
  updateList: (edit, input) => updateList(edit, 1, input),
  updatePolicy: (edit, input) => updatePolicy(edit, 1, input),
  updateBehaviour: (edit, input) => updateBehaviour(edit, 1, input),
  updateDevice: (edit, input) => updateDevice(edit, 1, input),
  duplicatePolicy: (edit, input) => duplicatePolicy(edit, 1, input),
  attach: (edit, input) => attach(edit, 1, input),
  attachAsTargets: (edit, input) => attachAsTargets(edit, 1, input),
  changeAttachment: (edit, input) => changeAttachment(edit, 1, { kind: 'target', id: 1 }, input),
  createKey: (edit, input) => createKey(edit, 1, input),
};

function withOneOfEach(): EditScene {
  const scene = editScene();
  scene.run((edit) => {
    createTarget(edit, { name: 'one' });
    createBundle(edit, { name: 'one' });
    createList(edit, { name: 'one' });
    createBehaviour(edit, { name: 'one', action: { kind: 'redirect', to: 'one.example.' } });
    createPolicy(edit, { name: 'one', type: 'dns', attachments: [{ kind: 'target', id: 1 }] });
    createDevice(edit, { name: 'one', type: 'dns' });
  });
  return scene;
}

describe('edits', () => {
  it.each(Object.entries(EDITS))('%s refuses what is no object', (_name, edit) => {
    for (const input of [null, undefined, 7, 'text', true, [], [{}]]) {
      const { run } = withOneOfEach();
      expect(() => run((draft) => edit(draft, input)), String(input)).toThrow(
        expect.objectContaining({ name: 'ModelError', code: 'field-type' }),
      );
    }
  });

  /** Keys that mean something to some edit, so that the values behind them are really looked at. */
  const KEYS = [
    'name label type description attributes severity danger tags supportsAllow filter action',
    'attachments kind id to records data ttl defaultAction hostsMax excludedTargets access sources',
    'notify address port policyId profile role algorithm origin partner predefined asTargets',
  ].flatMap((line) => line.split(' '));
  const WORDS = [
    'one',
    'two',
    'dns',
    'ip',
    'target',
    'list',
    'redirect',
    'local-data',
    'allow',
    'behaviour',
  ];
  const { input } = fc.letrec((tie) => ({
    input: fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('value'), {
      maxKeys: 6,
    }),
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(
        null,
        undefined,
        true,
        0,
        1,
        -1,
        1.5,
        Number.NaN,
        '',
        '*.',
        '192.0.2.1',
      ),
      fc.constantFrom<unknown>(...WORDS),
      fc.string(),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('input'),
    ),
  }));

  it('answers whatever comes with a coded refusal or a change, and a refusal changes nothing', () => {
    const scene = withOneOfEach();
    const names = Object.keys(EDITS);
    fc.assert(
      fc.property(fc.constantFrom(...names), input, fc.boolean(), (name, value, system) => {
        const before = scene.model;
        try {
          scene.run((edit) => EDITS[name]!(edit, value), system);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
          if (!(error instanceof ModelError)) return;
          expect(error.refusals.length).toBeGreaterThan(0);
          for (const refusal of error.refusals) {
            expect(MODEL_ERRORS[refusal.code]).toBeDefined();
            expect(refusal.rule).toMatch(/\.$/);
          }
          expect(scene.model).toBe(before);
        }
      }),
      { numRuns: 3_000, seed: 1 },
    );
  });

  it('tell every refusal of an input at once, with its path', () => {
    const { run } = withOneOfEach();
    const input = {
      name: 'no good',
      type: 'dns',
      ttl: -5,
      attachments: [
        { kind: 'target', id: 1 },
        { kind: 'target', id: 1, action: { kind: 'redirect', to: 'a..b' }, note: 'x' },
      ],
    };
    let refusals: readonly (readonly [string, string])[] = [];
    try {
      run((edit) => createPolicy(edit, input));
    } catch (error) {
      if (error instanceof ModelError) {
        refusals = error.refusals.map(({ code, field }) => [code, field] as const);
      }
    }
    expect(refusals).toEqual([
      ['label-form', 'name'],
      ['invalid-value', 'ttl'],
      ['redirect-target', 'attachments[1].action.to'],
      ['field-unknown', 'attachments[1].note'],
    ]);
  });

  it('take an action as a plain word, as a sample file writes it', () => {
    const { run, model } = withOneOfEach();
    const made = run((edit) =>
      createPolicy(edit, {
        name: 'two',
        type: 'dns',
        defaultAction: 'drop',
        attachments: [
          { kind: 'target', id: 1, action: 'tcp-only' },
          { kind: 'bundle', id: 1 },
        ],
      }),
    );
    expect(made.attachments.map(({ action }) => action)).toEqual([
      { kind: 'tcp-only' },
      { kind: 'drop' },
    ]);
    expect(model.policies.size).toBe(1);
  });

  it('let only the server itself make what is built in or predefined', () => {
    const { run } = withOneOfEach();
    const input = { name: 'canary', origin: 'built-in', partner: true };
    expect(() => run((edit) => createTarget(edit, input))).toThrow(
      expect.objectContaining({ code: 'field-unknown' }),
    );
    const canary = run((edit) => createTarget(edit, input), true);
    expect(canary).toMatchObject({ origin: 'built-in', partner: true });
    expect(() => run((edit) => changeIndicators(edit, canary.id, { add: ['a.example'] }))).toThrow(
      expect.objectContaining({ code: 'built-in' }),
    );
    run((edit) => changeIndicators(edit, canary.id, { add: ['a.example'] }), true);
    const policy = { name: 'base', type: 'dns', predefined: true };
    expect(() => run((edit) => createPolicy(edit, policy))).toThrow(
      expect.objectContaining({ code: 'field-unknown' }),
    );
    expect(run((edit) => createPolicy(edit, policy), true).predefined).toBe(true);
    expect(run((edit) => updatePolicy(edit, 2, { description: 'x' }), true).description).toBe('x');
  });

  it('keep accounts apart', () => {
    const { run } = withOneOfEach();
    const other = run((edit) => createAccount(edit, { label: 'other', name: 'Other' }));
    const asOther = <Value>(edit: (edit: Edit) => Value): Value =>
      run((own) => edit({ ...own, accountId: other.id }));
    const edits: ((draft: Edit) => unknown)[] = [
      (draft: Edit) => updatePolicy(draft, 1, {}),
      (draft: Edit) => duplicatePolicy(draft, 1, { name: 'stolen' }),
      (draft: Edit) => updateList(draft, 1, {}),
      (draft: Edit) => changeEntries(draft, 1, { add: ['a.example'] }),
      (draft: Edit) => updateDevice(draft, 1, {}),
      (draft: Edit) => createKey(draft, 1, {}),
    ];
    for (const edit of edits) {
      expect(() => asOther(edit)).toThrow(expect.objectContaining({ code: 'not-found' }));
    }
    const policy = asOther((edit) => createPolicy(edit, { name: 'one', type: 'dns' }));
    expect(policy.accountId).toBe(other.id);
    const device = asOther((edit) => createDevice(edit, { name: 'one', type: 'dns' }));
    const unknown = expect.objectContaining({ code: 'reference-unknown' });
    expect(() => asOther((edit) => assignPolicy(edit, device.id, 1))).toThrow(unknown);
    expect(() => asOther((edit) => attach(edit, policy.id, { kind: 'list', id: 1 }))).toThrow(
      unknown,
    );
    asOther((edit) => attach(edit, policy.id, { kind: 'target', id: 1 }));
  });
});

describe('accounts', () => {
  it.each([
    ['', 'label-form'],
    ['-a', 'label-form'],
    ['seventeen-letters', 'label-form'],
    ['rpz-a', 'label-form'],
    ['a.b', 'label-form'],
    ['catalog', 'label-form'],
    ['ACME', 'name-taken'],
  ])('do not get the label "%s"', (label, code) => {
    const { run } = editScene();
    expect(() => run((edit) => createAccount(edit, { label, name: 'x' }))).toThrow(
      expect.objectContaining({
        refusals: expect.arrayContaining([
          expect.objectContaining({
            field: 'label',
            code: expect.stringContaining(code.slice(0, 5)),
          }),
        ]),
      }),
    );
  });
});

describe('keys', () => {
  it('stop looking for a free name when the random numbers repeat themselves', () => {
    const { run } = editScene({ randomBytes: (octets) => new Uint8Array(octets) });
    run((edit) => createDevice(edit, { name: 'one', type: 'dns' }));
    const names = [1, 2].map(() => run((edit) => createKey(edit, 1, {})).name);
    expect(names).toEqual([
      'one.key.acme.sluice.internal.',
      'one-00000000.key.acme.sluice.internal.',
    ]);
    expect(() => run((edit) => createKey(edit, 1, {}))).toThrow('repeat themselves');
  });
});
