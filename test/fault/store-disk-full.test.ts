import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, StoreError } from '../../src/store/index.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { startChild } from '../store/children/child.ts';
import {
  commitNumber,
  historyAfter,
  outboxAfter,
  stateAfter,
} from '../store/children/numbered-commits.ts';
import { commitOf, entity, temporaryStore } from '../store/fixtures.ts';

const EXCEED_FILE_SIZE = new URL('../store/children/exceed-file-size.ts', import.meta.url);
const COMMITS_MAX = 500;

describe('a full database', () => {
  it('rejects the commit that does not fit with a code, applies nothing of it, and stays usable', async () => {
    const store = await openStore({ ...temporaryStore(), pagesMax: 500 });
    onTestFinished(() => store.close());
    let number = 0;
    let refusal: unknown = null;
    while (refusal === null && number < COMMITS_MAX) {
      await store.commit(commitNumber(number + 1)).then(
        () => number++,
        (error) => {
          refusal = error;
        },
      );
    }

    expect(refusal).toBeInstanceOf(StoreError);
    expect(refusal).toMatchObject({ code: 'store-full', sqliteCode: 'SQLITE_FULL' });
    expect(number).toBeGreaterThan(10);
    expect(await store.load()).toEqual(stateAfter(number));
    expect(await store.owedNotifies()).toEqual(outboxAfter(number));
    expect(await store.allHistory()).toEqual(historyAfter(number));
    expect((await store.changes({ limit: 1 }))[0].at).toBe(number);

    // Room is made, and what was refused goes in.
    const { members } = stateAfter(number);
    await store.compact({
      owners: [],
      members: [{ holder: members[0].holder, base: new Uint8Array(1) }],
      history: [],
      pins: [],
    });
    await store.commit({ ...commitNumber(number + 1), putEntities: [entity('target', 1, 'fits')] });
    const after = await store.load();
    expect(after.entities).toContainEqual(entity('target', 1, 'fits'));
    expect(after.zones).toEqual(stateAfter(number + 1).zones);
  });

  it('rejects a compaction that does not fit and keeps the catalogue', async () => {
    const store = await openStore({ ...temporaryStore(), pagesMax: 200 });
    onTestFinished(() => store.close());
    await store.commit(commitNumber(1));
    const compaction = {
      owners: [{ firstId: 0, count: 1, bytes: new Uint8Array(2_000_000) }],
      members: [],
      history: [],
      pins: [],
    };
    await expect(store.compact(compaction)).rejects.toMatchObject({ code: 'store-full' });
    expect(await store.load()).toEqual(stateAfter(1));
    expect(await store.allHistory()).toEqual(historyAfter(1));
    await store.commit(commitOf({ putEntities: [entity('policy', 1)] }));
  });
});

describe('a disk that refuses to write', () => {
  it('rejects that commit, and takes the next that fits; all others are there after a restart', async () => {
    const options = temporaryStore();
    // 4 MiB in the shell's blocks of 512 octets. Ignored, the signal leaves EFBIG to the writer.
    const child = startChild(
      EXCEED_FILE_SIZE,
      [options.path, options.keyFile],
      "trap '' XFSZ; ulimit -f 8192",
    );
    await child.waitForLines(8);
    await child.kill();
    expect(child.lines()).toEqual([
      '1',
      '2',
      '3',
      'store-io SQLITE_IOERR_WRITE',
      '4',
      '5',
      '6',
      'closed',
    ]);
    const store = openSqliteStore(options);
    onTestFinished(() => store.close());
    expect(JSON.stringify(store.load().zones)).toBe(JSON.stringify(stateAfter(6).zones));
    expect(store.load().revisions).toHaveLength(stateAfter(6).revisions.length);
    expect(store.load().owners).toHaveLength(6);
  });
});
