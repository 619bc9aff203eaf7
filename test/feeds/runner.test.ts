import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { decodeState } from '../../src/feeds/feed-state.ts';
import { createDevice, createPolicy } from '../../src/publish/edits/index.ts';
import { memoryStore } from '../support/memory-store.ts';
import { setIndicators } from '../support/scene.ts';
import {
  addFeed,
  feedScene,
  HOUR,
  MINUTE,
  NO_VALIDATORS,
  names,
  pack,
  told,
} from './feed-scene.ts';

describe('a run of a feed', () => {
  it('gives the target exactly what its source tells, as one change with a new serial', async () => {
    const scene = await feedScene({}, { lines: ['old.example', 'stays.example'] });
    const before = scene.house.zone(scene.zone).serial;
    const run = await scene.feed(told(['stays.example', 'new.example', '192.0.2.1']));
    expect(run).toMatchObject({
      end: 'published',
      actor: 'ann',
      indicators: 3,
      added: 2,
      removed: 1,
      detected: 'lines',
      octets: 1_000,
    });
    expect(scene.members()).toEqual(['192.0.2.1', 'new.example', 'stays.example']);
    const { serial } = scene.house.zone(scene.zone);
    expect(serial).not.toBe(before);
    expect(run.zones).toContainEqual({ origin: scene.zone, toSerial: serial });
    const [change] = await scene.house.publisher.changes({ limit: 1 });
    expect(change).toMatchObject({
      actor: 'feed fed',
      action: `feed.run ${scene.feedId}`,
      accountId: scene.house.accountId,
    });
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'ok', failures: 0 });
  });

  it('publishes nothing when the source tells what is there', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    const { serial } = scene.house.zone(scene.zone);
    const run = await scene.feed(told(['a.example'], { lines: 7 }));
    expect(run).toMatchObject({ end: 'unchanged', added: 0, removed: 0, zones: [] });
    expect(scene.house.zone(scene.zone).serial).toBe(serial);
  });

  it('fails with the reason when what the source tells would crash a device', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    await scene.house.edit((edit) => {
      const action = { kind: 'tcp-only' };
      const attachments = [{ kind: 'target', id: scene.targetId, action }];
      const { id: policyId } = createPolicy(edit, { name: 'tcp', type: 'dns', attachments });
      const access = { access: 'source', sources: ['192.0.2.9'] };
      createDevice(edit, { name: 'u', type: 'dns', profile: 'unbound', ...access, policyId });
    });
    const run = await scene.feed(told(['a.example', 'nsname:bad.ns.example']));
    expect(run).toMatchObject({ end: 'failed', zones: [] });
    expect(run.reasons[0]).toMatch(/^It could not be published: Unbound crashes.*"u".*"tcp"/);
    expect(scene.members()).toEqual(['a.example']);
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'failing', failures: 1 });
  });

  it('hands the validators of the last content to the next run', async () => {
    const scene = await feedScene();
    const validators = { ...NO_VALIDATORS, etag: '"7"' };
    await scene.feed(told(['a.example'], {}, { validators }));
    scene.house.time.now += HOUR;
    const run = await scene.feed({ kind: 'unchanged', validators });
    expect(run.end).toBe('unchanged');
    expect(scene.worker.jobs.map(({ validators: { etag } }) => etag)).toEqual([null, '"7"']);
    const { lastSuccessAt } = scene.runner.status(scene.feedId);
    expect(lastSuccessAt).toBe(scene.house.time.now);
  });

  it('reads the source in full when somebody else was at the target, or the feed is another', async () => {
    const scene = await feedScene();
    const validators = { ...NO_VALIDATORS, etag: '"7"' };
    await scene.feed(told(['a.example'], {}, { validators }));
    await scene.house.edit((edit) => setIndicators(edit, scene.targetId, ['by-hand.example']));
    await scene.feed(told(['a.example'], {}, { validators }));
    expect(scene.members()).toEqual(['a.example']);
    await scene.change({ namesAs: 'host' });
    await scene.feed(told(['a.example'], {}, { validators }));
    expect(scene.worker.jobs.map(({ validators: { etag } }) => etag)).toEqual([null, null, null]);
  });

  it('keeps what is published when the source fails, and says so', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    const succeededAt = scene.house.time.now;
    scene.house.time.now += HOUR;
    const text = 'The server refused: 503';
    const run = await scene.feed({ kind: 'failed', reason: 'http-status', text });
    expect(run).toMatchObject({ end: 'failed', reasons: [text] });
    expect(scene.members()).toEqual(['a.example']);
    expect(scene.runner.status(scene.feedId)).toMatchObject({
      state: 'failing',
      failures: 1,
      lastSuccessAt: succeededAt,
      nextRunAt: scene.house.time.now + MINUTE,
    });
    const age = scene.runner.metrics().find(({ name }) => name === 'sluice_feed_age_seconds');
    expect(age?.samples[0]?.value).toBe(3_600);
    await scene.feed(told(['a.example']));
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'ok', failures: 0 });
  });

  it('reports what was rejected and guarded, and publishes the rest', async () => {
    const scene = await feedScene({}, { lines: names(150) });
    const guardedShown = [
      { text: 'com', covers: 'com (top-level domain)' },
      { text: '0.0.0.0/0', covers: 'more addresses than a /8 has' },
      { text: '198.51.100.53', covers: '198.51.100.53' },
    ];
    const rejections = [{ line: 3, text: 'x'.repeat(1_000), reason: 'name-form' }];
    const more = { guarded: 3, guardedShown, rejected: 1, rejectedByReason: { x: 1 }, rejections };
    const run = await scene.feed(told([...names(150), 'new.example'], more));
    expect(run).toMatchObject({
      end: 'published',
      added: 1,
      guarded: 3,
      guardedShown,
      rejected: 1,
    });
    expect(run.rejections[0]!.text).toHaveLength(200);
    expect(scene.members()).toHaveLength(151);
  });

  it('fails when nothing of a source can be used, and keeps a bounded report of a million lines', async () => {
    const store = memoryStore();
    const scene = await feedScene({}, { lines: names(50), house: { store } });
    const rejections = Array.from({ length: 5_000 }, (_, line) => ({
      line,
      text: 'y'.repeat(5_000),
      reason: 'name-form',
    }));
    const more = { rejected: 1_000_000, rejections, rejectedByReason: { 'name-form': 1_000_000 } };
    for (let round = 0; round < 60; round++) {
      const run = await scene.feed(told([], more));
      expect(run).toMatchObject({ end: 'failed', rejected: 1_000_000 });
    }
    expect(scene.members()).toHaveLength(50);
    const body = (await store.feedStates())[0]!.body;
    expect(decodeState(body).runs).toHaveLength(50);
    expect(body.length).toBeLessThan(250_000);
  });

  it('empties its target when the source is empty and the target is small', async () => {
    const scene = await feedScene({}, { lines: names(5) });
    expect(await scene.feed(told([]))).toMatchObject({ end: 'published', removed: 5 });
    expect(scene.members()).toEqual([]);
  });

  it('adds what an incremental source tells, and takes out what it takes back', async () => {
    const source = { kind: 'taxii', url: 'https://taxii.example/c/objects/' } as const;
    const taxii = { ...source, credentials: { kind: 'none' }, allowPrivate: false } as const;
    const scene = await feedScene({ source: taxii });
    const validators = { ...NO_VALIDATORS, addedAfter: '2030-01-01T00:00:00Z' };
    await scene.feed(told(['a.example', 'b.example'], {}, { validators }));
    const withdrawn = told(['b.example']);
    const taken = withdrawn.kind === 'content' ? withdrawn.content.packed : null;
    const run = await scene.feed(
      told(['c.example'], { withdrawn: taken! }, { validators, incremental: true }),
    );
    expect(run).toMatchObject({ end: 'published', added: 1, removed: 1 });
    expect(scene.members()).toEqual(['a.example', 'c.example']);
    expect(scene.worker.jobs[1]!.validators.addedAfter).toBe(validators.addedAfter);
  });

  it('leaves everything as it was when the disk is full at the commit', async () => {
    const store = memoryStore();
    const scene = await feedScene({}, { lines: names(3), house: { store } });
    const { serial } = scene.house.zone(scene.zone);
    const before = scene.members();
    store.failNextCommit(new Error('database or disk is full'));
    const run = await scene.feed(told(['a.example']));
    expect(run).toMatchObject({
      end: 'failed',
      reasons: ['It could not be published: database or disk is full'],
    });
    expect(scene.members()).toEqual(before);
    expect(scene.house.zone(scene.zone).serial).toBe(serial);
    expect(scene.runner.status(scene.feedId).state).toBe('failing');
    expect(await scene.feed(told(['a.example']))).toMatchObject({ end: 'published' });
  });

  it('asks private addresses only where the feed and the server both allow it', async () => {
    const source = {
      kind: 'http',
      url: 'https://feeds.example/',
      credentials: { kind: 'none' },
      allowPrivate: true,
    } as const;
    const closed = await feedScene({ source });
    await closed.feed(told(['a.example']));
    const open = await feedScene({ source }, { runner: { allowPrivateSources: true } });
    await open.feed(told(['a.example']));
    expect(closed.worker.jobs[0]!.source).toMatchObject({ allowPrivate: false });
    expect(open.worker.jobs[0]!.source).toMatchObject({ allowPrivate: true });
  });
});

describe('a run that a gate holds', () => {
  const half = names(1_000).slice(0, 400);

  it('changes nothing until it is released', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    const { serial } = scene.house.zone(scene.zone);
    const run = await scene.feed(told([...half, 'new.example']));
    expect(run).toMatchObject({ end: 'held', added: 1, removed: 600 });
    expect(run.reasons).toHaveLength(1);
    expect(scene.house.zone(scene.zone).serial).toBe(serial);
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'held', failures: 0 });

    const held = await scene.runner.heldChange(scene.feedId);
    expect(held).toMatchObject({ added: 1, removed: 600, addedShown: ['new.example'] });
    expect(held?.removedShown).toHaveLength(100);

    const released = await scene.runner.release(scene.feedId, 'ann');
    expect(released).toMatchObject({ end: 'published', actor: 'ann', added: 1, removed: 600 });
    expect(scene.members()).toEqual([...half, 'new.example'].toSorted());
    expect(scene.runner.status(scene.feedId).state).toBe('ok');
    expect(await scene.runner.heldChange(scene.feedId)).toBeNull();
    const [change] = await scene.house.publisher.changes({ limit: 1 });
    expect(change).toMatchObject({ actor: 'ann', action: `feed.release ${scene.feedId}` });
  });

  it('is forgotten when it is discarded, and not held again while the source stays as it is', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    const outcome = told(half);
    await scene.feed(outcome);
    const succeededAt = scene.runner.status(scene.feedId).lastSuccessAt;
    await scene.runner.discard(scene.feedId, 'ann');
    expect(await scene.ended()).toMatchObject({ end: 'discarded', actor: 'ann' });
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'ok' });
    scene.house.time.now += HOUR;
    const validators = outcome.kind === 'content' ? outcome.validators : NO_VALIDATORS;
    expect(await scene.feed({ kind: 'unchanged', validators })).toMatchObject({ end: 'unchanged' });
    expect(scene.worker.jobs[1]!.validators).toEqual(validators);
    // What is served is not what the source tells, so its age goes on.
    expect(scene.runner.status(scene.feedId).lastSuccessAt).toBe(succeededAt);
    expect(scene.members()).toHaveLength(1_000);
  });

  it('is replaced by a newer run that passes', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    await scene.feed(told(half));
    expect(await scene.feed(told(names(900)))).toMatchObject({ end: 'published', removed: 100 });
    expect(scene.runner.status(scene.feedId).state).toBe('ok');
    await expect(scene.runner.release(scene.feedId, 'ann')).rejects.toMatchObject({
      code: 'nothing-held',
    });
    await expect(scene.runner.discard(scene.feedId, 'ann')).rejects.toMatchObject({
      code: 'nothing-held',
    });
  });

  it('stays held while the source fails or is as it was', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    await scene.feed(told(half));
    await scene.feed({ kind: 'unchanged', validators: NO_VALIDATORS });
    await scene.feed({ kind: 'failed', reason: 'timeout', text: 'It took too long' });
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'held', failures: 1 });
    await scene.runner.release(scene.feedId, 'ann');
    expect(scene.members()).toHaveLength(400);
  });

  it('is there after a restart, with its notes', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    const note = { indicator: 'n1.example', comment: 'C2', expiresAt: null, confidence: 90 };
    await scene.feed(told(half, { notes: [note] }));
    const again = await scene.restart();
    expect(again.runner.status(again.feedId).state).toBe('held');
    await again.runner.release(again.feedId, 'ann');
    expect(again.members()).toHaveLength(400);
    const holder = { kind: 'target', id: again.targetId } as const;
    expect(await again.house.publisher.memberNotes(holder)).not.toBeNull();
  });

  it('has an incremental source told again what is held, until somebody decides', async () => {
    const source = { kind: 'taxii', url: 'https://taxii.example/c/objects/' } as const;
    const taxii = { ...source, credentials: { kind: 'none' }, allowPrivate: false } as const;
    const scene = await feedScene({ source: taxii });
    const at = (addedAfter: string) => ({ validators: { ...NO_VALIDATORS, addedAfter } });
    await scene.feed(told(names(100), {}, at('one')));
    const more = { ...at('two'), incremental: true };
    expect(await scene.feed(told(names(1_000, 'm'), {}, more))).toMatchObject({ end: 'held' });
    await scene.feed(told(names(150, 'm'), {}, { ...at('three'), incremental: true }));
    expect(scene.worker.jobs.map(({ validators }) => validators.addedAfter)).toEqual([
      null,
      'one',
      'one',
    ]);
    expect(scene.members()).toHaveLength(250);
  });
});

describe('a difference that a gate holds', () => {
  it('is told again from what is published, until it is released', async () => {
    const source = { kind: 'transfer', zone: 'up.example.', form: 'rpz', key: null } as const;
    const scene = await feedScene({ source: { ...source, address: '192.0.2.1', port: 53 } });
    const at = (serial: string) => ({ validators: { ...NO_VALIDATORS, addedAfter: serial } });
    await scene.feed(told(names(200), {}, at('1')));
    const gone = { withdrawn: pack(names(150)) };
    const difference = () => told(['new.example'], gone, { ...at('2'), incremental: true });
    expect(await scene.feed(difference())).toMatchObject({ end: 'held', added: 1, removed: 150 });
    expect(await scene.runner.heldChange(scene.feedId)).toMatchObject({ added: 1, removed: 150 });
    await scene.runner.discard(scene.feedId, 'ann');
    await scene.ended();
    expect(await scene.feed(difference())).toMatchObject({ end: 'held' });
    await scene.runner.release(scene.feedId, 'ann');
    await scene.ended();
    expect(scene.members()).toHaveLength(51);
    await scene.feed({ kind: 'unchanged', validators: NO_VALIDATORS });
    expect(scene.worker.jobs.map(({ validators }) => validators.addedAfter)).toEqual([
      null,
      '1',
      '1',
      '2',
    ]);
  });
});

describe('the runner', () => {
  it('runs a new feed at once, and again when its time has come', async () => {
    const scene = await feedScene();
    scene.runner.start();
    expect(await scene.answer(told(['a.example']))).toMatchObject({ actor: 'schedule' });
    const { nextRunAt } = scene.runner.status(scene.feedId);
    expect(nextRunAt).toBe(scene.house.time.now + HOUR);
    scene.runner.reschedule();
    expect(scene.worker.open).toHaveLength(0);
    scene.house.time.now += HOUR;
    scene.runner.reschedule();
    expect(await scene.answer(told(['b.example']))).toMatchObject({ end: 'published' });
  });

  it('keeps failures, the next run and its reports over a restart', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    await scene.feed({ kind: 'failed', reason: 'timeout', text: 'It took too long' });
    const before = scene.runner.status(scene.feedId);
    const again = await scene.restart();
    expect(again.runner.status(again.feedId)).toEqual(before);
    again.runner.start();
    expect(again.worker.open).toHaveLength(0);
    again.house.time.now += MINUTE;
    again.runner.reschedule();
    const run = await again.worker.next();
    // The target is as it was left, so the source may say that it is unchanged.
    expect(run.job.validators.contentHash).toBe('hash of a.example');
  });

  it('reads a source anew after a start when it cannot know what became of the last run', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    await scene.house.edit((edit) => setIndicators(edit, scene.targetId, ['other.example']));
    const again = await scene.restart();
    await again.feed(told(['a.example']));
    expect(again.worker.jobs[0]!.validators).toEqual(NO_VALIDATORS);
    expect(again.members()).toEqual(['a.example']);
  });

  it('runs so many at once, and one at a time of those that read the same source', async () => {
    const scene = await feedScene();
    const source = (path: string) => ({ kind: 'file', path }) as const;
    const { value: feeds } = await scene.house.edit((edit) => {
      const paths = ['same', 'same', 'other', 'third'];
      return paths.map((path) => addFeed(edit, scene.targetId, { source: source(path) }));
    });
    scene.runner.reschedule();
    for (const feedId of feeds) scene.runner.run(feedId, 'ann');
    const running = () => scene.worker.open.map(({ job }) => job.feedId);
    await nextTurn();
    expect(running()).toEqual([feeds[0], feeds[2]]);
    expect(scene.runner.status(feeds[1]!).running).toMatchObject({ phase: 'waiting' });
    scene.worker.open[1]!.answer({ kind: 'unchanged', validators: NO_VALIDATORS });
    await expect.poll(running).toEqual([feeds[0], feeds[3]]);
    scene.worker.open[0]!.answer({ kind: 'unchanged', validators: NO_VALIDATORS });
    await expect.poll(running).toEqual([feeds[3], feeds[1]]);
    await scene.runner.stop();
  });

  it('does not begin a second run of a feed', async () => {
    const scene = await feedScene();
    scene.runner.run(scene.feedId, 'ann');
    scene.runner.run(scene.feedId, 'bob');
    await nextTurn();
    expect(scene.worker.open).toHaveLength(1);
    await expect(scene.runner.upload(scene.feedId, new Uint8Array(1), 'bob')).rejects.toMatchObject(
      { code: 'feed-running' },
    );
  });

  it('takes an upload in the place of the source, and reads the source in full afterwards', async () => {
    const scene = await feedScene();
    await scene.feed(told(['a.example']));
    const report = scene.runner.upload(scene.feedId, Buffer.from('up.example'), 'bob');
    const ended = scene.answer(told(['up.example']));
    expect(await report).toMatchObject({ end: 'published', actor: 'bob' });
    await ended;
    await scene.feed(told(['a.example']));
    expect(scene.worker.jobs[1]).toMatchObject({
      source: { kind: 'octets' },
      validators: NO_VALIDATORS,
    });
    expect(scene.worker.jobs[2]!.validators).toEqual(NO_VALIDATORS);
  });

  it('refuses to run what has no source', async () => {
    const scene = await feedScene({ source: { kind: 'upload' } });
    expect(() => scene.runner.run(scene.feedId, 'ann')).toThrow(/no source/);
    expect(scene.runner.status(scene.feedId).nextRunAt).toBeNull();
  });

  it('stops a run when its feed is paused, changed or deleted, and publishes nothing of it', async () => {
    const scene = await feedScene({}, { lines: ['a.example'] });
    scene.runner.start();
    await scene.worker.next();
    await scene.change({ enabled: false });
    await expect.poll(() => scene.runner.status(scene.feedId).running).toBeNull();
    expect(scene.worker.open).toHaveLength(0);
    expect(scene.runner.status(scene.feedId)).toMatchObject({ state: 'paused', nextRunAt: null });

    await scene.change({ enabled: true });
    await scene.worker.next();
    await scene.change({ namesAs: 'host' });
    const anew = await scene.worker.next();
    expect(anew.job.parse.namesAs).toBe('host');

    await scene.house.edit(({ draft }) => draft.delete('feed', scene.feedId));
    scene.runner.reschedule();
    await nextTurn();
    expect(scene.worker.open).toHaveLength(0);
    expect(() => scene.runner.status(scene.feedId)).toThrow(/no feed/);
    expect(scene.members()).toEqual(['a.example']);
  });

  it('cuts off a source that hangs when the worker does not', async () => {
    const limits = { octetsMax: 1, seconds: 0.05, linesMax: 1 };
    const scene = await feedScene({ limits }, { runner: { graceMs: 50 }, lines: ['a.example'] });
    scene.runner.run(scene.feedId, 'ann');
    expect(await scene.ended()).toMatchObject({
      end: 'failed',
      reasons: ['It took too long: the limit is 0.05 s'],
    });
    expect(scene.members()).toEqual(['a.example']);
    expect(scene.worker.open).toHaveLength(0);
  });

  it('tells listeners of progress, of the end and of the state, until they are gone', async () => {
    const scene = await feedScene();
    const kinds: string[] = [];
    const leave = scene.runner.listen(scene.feedId, ({ kind }) => kinds.push(kind));
    scene.runner.run(scene.feedId, 'ann');
    const run = await scene.worker.next();
    run.progress({ phase: 'fetch', octets: 5_000, lines: 0, msSoFar: 500 });
    expect(scene.runner.status(scene.feedId).running).toMatchObject({
      phase: 'fetch',
      octets: 5_000,
      octetsPerSecond: 10_000,
    });
    run.answer(told(['a.example']));
    await scene.ended();
    expect(kinds).toEqual(['progress', 'progress', 'progress', 'progress', 'ended', 'state']);
    leave();
    await scene.feed(told(['b.example']));
    expect(kinds).toHaveLength(6);
  });

  it('tells the metrics that alerts are made of', async () => {
    const scene = await feedScene({}, { lines: names(1_000) });
    await scene.feed(told(names(10)));
    await scene.feed({ kind: 'failed', reason: 'dns', text: 'no address' });
    const figures = Object.fromEntries(
      scene.runner.metrics().map(({ name, samples }) => [name, samples.map(({ value }) => value)]),
    );
    expect(figures).toMatchObject({
      sluice_feed_failures: [1],
      sluice_feed_held: [1],
      sluice_feed_entries: [1_000],
      sluice_feed_running: [0],
      sluice_feed_runs_total: [1, 1],
    });
  });

  it('ends what is under way when it stops', async () => {
    const scene = await feedScene();
    scene.runner.run(scene.feedId, 'ann');
    await scene.worker.next();
    await scene.runner.stop();
    expect(scene.worker.open).toHaveLength(0);
    expect(scene.complaints).toEqual([]);
    expect(scene.runner.status(scene.feedId).runs).toEqual([]);
  });

  it('writes down what was published while it stopped', async () => {
    const scene = await feedScene();
    scene.runner.run(scene.feedId, 'ann');
    (await scene.worker.next()).answer(told(['a.example']));
    const again = await scene.restart();
    expect(again.members()).toEqual(['a.example']);
    expect(again.runner.status(again.feedId)).toMatchObject({ state: 'ok', failures: 0 });
  });
});
