import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idsOf } from '../../src/indicators/id-set.ts';
import { FORM_OF_KIND, INDICATOR_KINDS, MEMBER_FORMS } from '../../src/indicators/indicator.ts';
import { packIndicators } from '../../src/indicators/pack-indicators.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import type { MemberSets } from '../../src/policy/member-sets.ts';
import {
  changeEntries,
  changeIndicators,
  createList,
  createTarget,
  entriesOfText,
  memberKinds,
  nextEntryExpiry,
  removeExpiredEntries,
} from '../../src/publish/edits/index.ts';
import { type EditScene, editScene } from './edits-scene.ts';

const OPTIONS = { ownerOctetsMax: 200, isPublicSuffix: () => false };

function targetMembers({ model }: EditScene): MemberSets {
  return [...model.targets.values()].at(-1)!.members;
}

/** Ids by form, as plain lists. */
function idsByForm(members: MemberSets): Record<string, number[]> {
  return Object.fromEntries(MEMBER_FORMS.map((form) => [form, [...idsOf(members[form])]]));
}

describe('kinds of members', () => {
  const texts = fc.uniqueArray(
    fc
      .tuple(fc.constantFrom(...INDICATOR_KINDS), fc.integer({ min: 0, max: 6 }))
      .map(([kind, n]) =>
        FORM_OF_KIND[kind] === 'prefix' ? `${kind}:192.0.2.${n}` : `${kind}:n${n}.example`,
      ),
    { maxLength: 12 },
  );

  it('are exactly those of the indicators, whatever else is in the catalogue', () => {
    fc.assert(
      fc.property(texts, texts, (others, own) => {
        const scene = editScene();
        for (const [name, add] of [
          ['others', others],
          ['own', own],
        ] as const) {
          scene.run((edit) => changeIndicators(edit, createTarget(edit, { name }).id, { add }));
        }
        const kinds = memberKinds(scene.catalogue, targetMembers(scene));
        const wanted = new Set(own.map((text) => text.slice(0, text.indexOf(':'))));
        expect([...kinds].sort()).toEqual([...wanted].sort());
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('texts of a change', () => {
  const text = fc.oneof(
    fc.constantFrom('evil.example', 'Evil.example', '*.evil.example', 'evil.example.', '*', ''),
    fc.constantFrom('192.0.2.1', '192.0.2.0/24', '10.0.0.0/7', '192.0.2.1-192.0.2.6', '1.2.3'),
    fc.constantFrom('2001:db8::1', '2000::/15', 'host:a.example', 'ip:a.example', 'x://y', 'a:80'),
    fc.stringMatching(/^[A-Za-z0-9._:/*-]{1,20}$/),
    fc.constant(`${'a'.repeat(64)}.example`),
  );

  it('are read alike whether or not one of them needs a closer look', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        const read = (add: readonly string[]) => {
          const scene = editScene();
          const told = scene.run((edit) =>
            changeIndicators(edit, createTarget(edit, { name: 'one' }).id, { add }),
          );
          const kinds = [...memberKinds(scene.catalogue, targetMembers(scene))];
          return { told, kinds, members: idsByForm(targetMembers(scene)) };
        };
        const plain = read(texts);
        const others = read([...texts, 'two words']);
        expect(others.members).toEqual(plain.members);
        expect(others.kinds).toEqual(plain.kinds);
        expect(others.told.added).toBe(plain.told.added);
        expect(others.told.duplicates).toBe(plain.told.duplicates);
        expect(others.told.rejected.slice(0, -1)).toEqual(plain.told.rejected);
        expect(others.told.rejected.at(-1)).toMatchObject({
          line: texts.length + 1,
          text: 'two words',
        });
        expect(plain.told.rejectedTotal).toBe(plain.told.rejected.length);
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

describe('indicators of a target', () => {
  it('come to the same from texts, octets and packed indicators', () => {
    const texts = [
      'evil.example',
      '*.bad.example',
      '192.0.2.0/24',
      'nsip:2001:db8::/32',
      'host:a.example',
    ];
    const indicators = texts.flatMap((text) => {
      const parsed = parseIndicator(text, OPTIONS);
      return parsed.ok ? parsed.indicators : [];
    });
    const scene = editScene();
    const inputs = [
      texts,
      new TextEncoder().encode(texts.join('\n')),
      packIndicators([...indicators]),
    ];
    const found = inputs.map((add, index) => {
      const changed = scene.run((edit) => {
        const target = createTarget(edit, { name: `target ${index}` });
        return changeIndicators(edit, target.id, { add });
      });
      expect(changed).toMatchObject({ added: 5, removed: 0, unchanged: 0, rejectedTotal: 0 });
      return idsByForm(targetMembers(scene));
    });
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  it('show at most a hundred rejected lines and count them all', () => {
    const { run } = editScene();
    const add = Array.from({ length: 250 }, (_, index) => `bad..${index}`);
    for (const input of [add, new TextEncoder().encode(add.join('\n'))]) {
      const changed = run((edit) => {
        const target = createTarget(edit, { name: `t${typeof input}${Array.isArray(input)}` });
        return changeIndicators(edit, target.id, { add: input });
      });
      expect(changed.rejectedTotal).toBe(250);
      expect(changed.rejected).toHaveLength(100);
      expect(changed.rejectedByReason).toEqual({ 'empty-label': 250 });
    }
  });

  it.each([
    ['a number', 7],
    ['a list with a number', ['a.example', 7]],
    ['a text that is no list', 'a.example'],
    ['null', null],
    [
      'broken packed indicators',
      { count: 3, kinds: new Uint8Array(1), ends: new Uint32Array(3), keys: new Uint8Array(9) },
    ],
    [
      'unknown kinds',
      { count: 1, kinds: Uint8Array.of(9), ends: Uint32Array.of(1), keys: Uint8Array.of(1) },
    ],
  ])('refuse %s', (_what, add) => {
    const { run, model } = editScene();
    expect(() =>
      run((edit) => {
        const target = createTarget(edit, { name: 'one' });
        return changeIndicators(edit, target.id, { add: add as never });
      }),
    ).toThrow(expect.objectContaining({ name: 'ModelError' }));
    expect(model.targets.size).toBe(0);
  });

  it('do not touch the time of a target that stays as it is', () => {
    const scene = editScene();
    scene.run((edit) =>
      changeIndicators(edit, createTarget(edit, { name: 'one' }).id, { add: ['a.example'] }),
    );
    const before = scene.model.targets.values().next().value!.updatedAt;
    scene.time.now += 1_000;
    scene.run((edit) => changeIndicators(edit, 1, { add: ['a.example'] }));
    expect(scene.model.targets.values().next().value!.updatedAt).toBe(before);
    scene.run((edit) => changeIndicators(edit, 1, { add: ['b.example'] }));
    expect(scene.model.targets.values().next().value!.updatedAt).toBe(before + 1_000);
  });
});

describe('entries of a list', () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 7 }).map((n) => `192.0.2.${n}`),
    fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 29, max: 32 }))
      .map(([n, length]) => `192.0.2.${n}/${length}`),
    fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }))
      .map(([a, b]) => `192.0.2.${Math.min(a, b)}-192.0.2.${Math.max(a, b)}`),
    fc.constantFrom('a.example', '*.a.example', 'host:a.example', 'dead-beef.example'),
  );
  const values = fc.array(value, { maxLength: 5 });
  const step = fc.oneof(fc.record({ add: values, remove: values }), fc.record({ replace: values }));

  it('leave exactly the members that reading them from nothing gives, whatever the edits before', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const scene = editScene();
        scene.run((edit) => createList(edit, { name: 'one' }));
        for (const change of steps) scene.run((edit) => changeEntries(edit, 1, change));
        const list = () => [...scene.model.lists.values()];
        const texts = [...list()[0]!.entries.keys()];
        scene.run((edit) =>
          changeEntries(edit, createList(edit, { name: 'two' }).id, { add: texts }),
        );
        const [first, second] = list();
        expect(idsByForm(first!.members)).toEqual(idsByForm(second!.members));
        expect([...second!.entries.keys()].sort()).toEqual(texts.sort());
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('expire one after the other', () => {
    const scene = editScene();
    const { now } = scene.time;
    scene.run((edit) => {
      createList(edit, { name: 'one' });
      createList(edit, { name: 'two' });
      changeEntries(edit, 1, {
        add: [{ value: 'a.example', expiresAt: now + 2_000 }, 'b.example'],
      });
      changeEntries(edit, 2, { add: [{ value: 'c.example', expiresAt: now + 1_000 }] });
    });
    expect(nextEntryExpiry(scene.model)).toBe(now + 1_000);
    scene.time.now += 1_000;
    expect(scene.run(removeExpiredEntries)).toBe(1);
    expect(nextEntryExpiry(scene.model)).toBe(now + 2_000);
    scene.time.now += 5_000;
    expect(scene.run(removeExpiredEntries)).toBe(1);
    expect(nextEntryExpiry(scene.model)).toBeNull();
    expect(scene.run(removeExpiredEntries)).toBe(0);
    expect([...scene.model.lists.values()].map(({ entries }) => [...entries.keys()])).toEqual([
      ['b.example'],
      [],
    ]);
  });

  it('are read from a text with their comments', () => {
    const text = '# all of it\r\n a.example  # the shop # old\n\n192.0.2.1\n';
    expect(entriesOfText(text)).toEqual({
      items: [
        { value: 'a.example', comment: 'the shop # old' },
        { value: '192.0.2.1', comment: '' },
      ],
      lines: [2, 4],
    });
  });
});
