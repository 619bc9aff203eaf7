import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeHeld, encodeHeld } from '../../src/feeds/held-content.ts';
import { EMPTY_RUN } from '../../src/feeds/run-feed.ts';
import {
  encodeNotes,
  findNote,
  type MemberNote,
  visitNotes,
} from '../../src/publish/member-notes.ts';
import { feedScene, HOUR, MINUTE, NO_VALIDATORS, pack, told } from './feed-scene.ts';

const note = (indicator: string, more: Partial<MemberNote> = {}): MemberNote => ({
  indicator,
  comment: '',
  expiresAt: null,
  confidence: null,
  ...more,
});

async function readAll(bytes: Uint8Array): Promise<MemberNote[]> {
  const notes: MemberNote[] = [];
  await visitNotes(bytes, (one) => notes.push(one));
  return notes;
}

describe('notes of indicators', () => {
  it('are read as they were written, and equal ones are written alike', async () => {
    const notes = Array.from({ length: 2_500 }, (_, index) =>
      note(`n${index}.example`, { comment: `Ünï "${index}"\n`, expiresAt: index, confidence: 7 }),
    );
    const bytes = await encodeNotes(notes);
    expect(await readAll(bytes)).toEqual(notes);
    expect(await encodeNotes(notes)).toEqual(bytes);
    expect(gunzipSync(bytes).toString().split('\n')).toHaveLength(2_501);
    expect(await readAll(await encodeNotes([]))).toEqual([]);
  });

  it('are found by their indicator and not by what somebody wrote into a comment', async () => {
    const bytes = await encodeNotes([
      note('a.example', { comment: '{"indicator":"b.example","comment":"forged"}' }),
      note('bb.example', { comment: 'other' }),
      note('b.example', { comment: 'true' }),
    ]);
    expect(await findNote(bytes, 'b.example')).toMatchObject({ comment: 'true' });
    expect(await findNote(bytes, 'c.example')).toBeNull();
  });

  it('are cut off where they are long', async () => {
    const bytes = await encodeNotes([note('a.example', { comment: 'x'.repeat(100_000) })]);
    expect((await findNote(bytes, 'a.example'))!.comment).toHaveLength(500);
  });
});

describe('a content that is held', () => {
  it('is read as it was written', async () => {
    const held = {
      run: { ...EMPTY_RUN, reasons: ['Ünï'] },
      validators: { ...NO_VALIDATORS, etag: 'x' },
      incremental: true,
      packed: pack(['a.example', '192.0.2.0/24', '2001:db8::1', 'host:b.example']),
      withdrawn: pack(['c.example']),
      notes: Uint8Array.from(randomBytes(77)),
    };
    expect(await decodeHeld(await encodeHeld(held))).toEqual(held);
    const empty = { ...held, packed: pack([]), withdrawn: pack([]), notes: new Uint8Array(0) };
    expect(await decodeHeld(await encodeHeld(empty))).toEqual(empty);
  });
});

describe('what a source says of its indicators', () => {
  const notesOf = async (scene: Awaited<ReturnType<typeof feedScene>>) => {
    const holder = { kind: 'target', id: scene.targetId } as const;
    const bytes = await scene.house.publisher.memberNotes(holder);
    return bytes === null ? null : readAll(bytes);
  };

  it('is shown by explain', async () => {
    const scene = await feedScene();
    const expiresAt = scene.house.time.now + HOUR;
    const notes = [note('a.example', { comment: 'Phishing kit', confidence: 80, expiresAt })];
    await scene.feed(told(['a.example', 'b.example'], { notes }));
    const policyId = [...scene.house.publisher.model.policies.keys()][0]!;
    const cover = async (value: string) =>
      (await scene.house.publisher.explain({ subject: { policyId }, trigger: 'qname', value }))
        .covers[0];
    expect(await cover('a.example')).toMatchObject({ comment: 'Phishing kit', expiresAt });
    expect(await cover('x.a.example')).toMatchObject({ comment: 'Phishing kit' });
    expect(await cover('b.example')).toMatchObject({ comment: null, expiresAt: null });
  });

  it('is published anew when only that changed, without a new serial', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example'], { notes: [note('a.example', { comment: 'one' })] }));
    const { serial } = scene.house.zone(scene.zone);
    const other = told(['a.example'], { notes: [note('a.example', { comment: 'two' })] });
    expect(await scene.feed(other)).toMatchObject({ end: 'published', added: 0, zones: [] });
    expect(await notesOf(scene)).toMatchObject([{ comment: 'two' }]);
    expect(await scene.feed(other)).toMatchObject({ end: 'unchanged' });
    expect(scene.house.zone(scene.zone).serial).toBe(serial);
    await scene.feed(told(['a.example']));
    expect(await notesOf(scene)).toEqual([]);
  });

  it('is kept of what stays without being told, and not of what is gone', async () => {
    const scene = await feedScene({ ttlSeconds: 3_600 });
    const notes = ['a', 'b', 'c'].map((name) => note(`${name}.example`, { comment: name }));
    await scene.feed(told(['a.example', 'b.example', 'c.example'], { notes }));
    scene.house.time.now += MINUTE;
    const withdrawn = pack(['c.example']);
    const again = [note('a.example', { comment: 'again' })];
    await scene.feed(told(['a.example'], { notes: again, withdrawn }));
    expect((await notesOf(scene))!.map(({ comment }) => comment)).toEqual(['again', 'b']);
  });

  it('takes an indicator out when it says until when it is meant', async () => {
    const scene = await feedScene();
    scene.runner.start();
    const { now } = scene.house.time;
    const ending = (name: string, expiresAt: number) => note(name, { expiresAt });
    const notes = [ending('b.example', now + 20 * MINUTE), ending('a.example', now + 10 * MINUTE)];
    await scene.answer(told(['a.example', 'b.example', 'c.example'], { notes }));
    scene.house.time.now += 10 * MINUTE;
    scene.runner.reschedule();
    await expect.poll(scene.members).toEqual(['b.example', 'c.example']);
    await expect.poll(() => scene.worker.open.length).toBe(0);

    const again = await scene.restart();
    again.house.time.now += 10 * MINUTE;
    again.runner.start();
    await expect.poll(again.members).toEqual(['c.example']);
    const actions = await again.house.publisher.changes({ limit: 5, action: 'feed.expire' });
    expect(actions).toHaveLength(2);
    await again.runner.stop();
  });
});
