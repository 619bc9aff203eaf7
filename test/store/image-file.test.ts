import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StateImage, Store } from '../../src/publish/store-port.ts';
import { imagePath, readImageFile } from '../../src/store/image-file.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { codeOf, temporaryStore } from './fixtures.ts';

const VERSION = 3;
const IMAGE: StateImage = {
  version: VERSION,
  owners: 2,
  head: '[1,2]',
  parts: [
    { octets: Uint8Array.of(1, 2, 3, 4), room: 8 },
    { octets: new Uint8Array(0), room: 0 },
    { octets: new Uint8Array(300_000).fill(7), room: 4 },
  ],
};

const owners = (firstId: number, count: number, octet: number) => ({
  firstId,
  count,
  bytes: Uint8Array.from({ length: count }, () => octet),
});

/** A store with owners 0 to 3 in two segments, and an image of the first. */
async function withImage(options: StoreOptions = temporaryStore()): Promise<StoreOptions> {
  const store = await openStore(options);
  await store.putOwners(owners(0, 2, 5));
  await store.saveImage(IMAGE);
  await store.putOwners(owners(2, 2, 6));
  await store.close();
  return options;
}

async function loaded(options: StoreOptions, version: number | undefined = VERSION) {
  const store: Store = await openStore(options);
  onTestFinished(() => store.close());
  return store.load(version);
}

const firstIds = ({ owners: segments }: Awaited<ReturnType<typeof loaded>>) =>
  segments.map(({ firstId }) => firstId);

describe('the image beside the database', () => {
  it('is given back with the owners that came after it', async () => {
    const state = await loaded(await withImage());
    expect(firstIds(state)).toEqual([2]);
    const { image } = state;
    expect(image).toMatchObject({ owners: 2, head: '[1,2]' });
    for (const [index, { octets, room }] of IMAGE.parts.entries()) {
      const part = image?.parts[index];
      expect(part?.octets).toBe(octets.length);
      expect(part?.buffer.byteLength).toBe(octets.length + room);
      expect(new Uint8Array(part?.buffer ?? new ArrayBuffer(0))).toEqual(
        Uint8Array.from([...octets, ...new Uint8Array(room)]),
      );
    }
  });

  it('can be read ahead of the database', async () => {
    const options = await withImage();
    const state = await loaded({ ...options, image: readImageFile(imagePath(options)) });
    expect(state.image?.owners).toBe(2);
  });

  it('is known by its time to be as it was written, and looked at octet by octet otherwise', async () => {
    const options = await withImage();
    const path = imagePath(options);
    const { mtime } = statSync(path);
    expect(mtime.getUTCFullYear()).toBeLessThan(2011);
    expect((await loaded(options)).image?.owners).toBe(2);
    // A copy that does not keep the time is whole all the same.
    writeFileSync(path, readFileSync(path));
    expect(statSync(path).mtime.getTime()).not.toBe(mtime.getTime());
    const copied = await readImageFile(path);
    expect(copied?.owners).toBe(2);
  });

  it('is for its owner alone', async () => {
    const options = await withImage();
    expect(statSync(imagePath(options)).mode & 0o777).toBe(0o600);
    expect(existsSync(`${imagePath(options)}.new`)).toBe(false);
  });

  it('is passed over when none or another version is asked for, and then all owners come', async () => {
    const options = await withImage();
    const other = await loaded(options, VERSION + 1);
    expect(other.image).toBeUndefined();
    expect(firstIds(other)).toEqual([0, 2]);
  });

  it('is passed over when it was cut or changed anywhere', async () => {
    const options = await withImage();
    const path = imagePath(options);
    const whole = readFileSync(path);
    const store = await openStore(options);
    onTestFinished(() => store.close());
    const places = [0, 7, 8, 12, 20, 120, 200, whole.length - 300_002, whole.length - 1];
    for (const place of places) {
      const damaged = Buffer.from(whole);
      damaged[place] ^= 1;
      for (const octets of [damaged, whole.subarray(0, place)]) {
        writeFileSync(path, octets);
        const state = await store.load(VERSION);
        expect(state.image, `at ${place}`).toBeUndefined();
        expect(firstIds(state)).toEqual([0, 2]);
      }
    }
    writeFileSync(path, whole);
    expect((await store.load(VERSION)).image?.owners).toBe(2);
  });

  it('is passed over beside a database that has gone another way', async () => {
    const options = temporaryStore();
    const first = await openStore(options);
    await first.putOwners(owners(0, 1, 5));
    await first.close();
    const early = `${options.path}.early`;
    copyFileSync(options.path, early);
    const second = await openStore(options);
    await second.putOwners(owners(1, 1, 5));
    await second.saveImage(IMAGE);
    await second.close();

    // The copy comes back, as a restored backup does, and grows by another owner.
    copyFileSync(early, options.path);
    const third = await openStore(options);
    onTestFinished(() => third.close());
    expect((await third.load(VERSION)).image).toBeUndefined();
    await third.putOwners(owners(1, 1, 6));
    const state = await third.load(VERSION);
    expect(state.image).toBeUndefined();
    expect(firstIds(state)).toEqual([0, 1]);
  });

  it('is passed over when other owners have the same numbers', async () => {
    const options = await withImage();
    const other = temporaryStore();
    const store = await openStore(other);
    await store.putOwners(owners(0, 2, 9));
    await store.close();
    copyFileSync(imagePath(options), imagePath(other));
    const state = await loaded(other);
    expect(state.image).toBeUndefined();
    expect(firstIds(state)).toEqual([0]);
  });

  it('is not taken of owners that are not stored', async () => {
    const store = await openStore(temporaryStore());
    onTestFinished(() => store.close());
    await store.putOwners(owners(0, 2, 5));
    for (const count of [1, 3]) {
      expect(await codeOf(() => store.saveImage({ ...IMAGE, owners: count }))).toBe('image-unfit');
    }
  });
});
