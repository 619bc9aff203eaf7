import { expect } from 'vitest';
import type { Desk, House } from '../support/house.ts';
import { countedSummary, readIpZone } from '../support/ip-zone.ts';
import { serialIn, type Transfer } from '../support/transfer.ts';
import {
  compareImages,
  followIxfr,
  formOf,
  imageOfAxfr,
  SAME_IMAGE,
  type ZoneImage,
} from '../support/zone-image.ts';

/** Every content that a zone was ever served with, by serial. */
export type History = Map<string, Map<number, ZoneImage>>;

/** The address of a device that may read the zone; undefined when there is none. */
export function readerOf(house: House, origin: string): string | undefined {
  const { deviceId, policyId, body } = house.zone(origin);
  const devices = [...house.publisher.model.devices.values()];
  const reader = devices.find((device) => {
    if (body.kind === 'catalog') return device.scope === 'server';
    return deviceId === null ? device.policyId === policyId : device.id === deviceId;
  });
  return reader?.sources[0].split('/')[0];
}

/** As `readerOf`, for zones that somebody reads. */
function readerFor(house: House, origin: string): string {
  const reader = readerOf(house, origin);
  if (reader === undefined) throw new Error(`nobody may read ${origin}`);
  return reader;
}

/** The AXFR of now, held against everything else that says what the zone is. */
export function checkedImage(house: House, uncached: Desk, origin: string): ZoneImage {
  const from = readerFor(house, origin);
  const transfer = house.transfer(origin, { from });
  const image = imageOfAxfr(transfer.records);
  for (const desk of [house, uncached]) {
    const again = desk.transfer(origin, { from });
    expect(compareImages(imageOfAxfr(again.records), image)).toEqual(SAME_IMAGE);
  }
  const soa = house.ask(origin, 'SOA', { from }).answers[0];
  expect(soa).toEqual(transfer.records[0]);
  const summary = house.publisher.zones().find((zone) => zone.origin === origin)!;
  expect(image.records.size).toBe(summary.records);
  expect(image.serial).toBe(summary.serial);
  if (summary.side === 'block' || summary.side === 'allow') checkIpZone(origin, transfer);
  return image;
}

function checkIpZone(origin: string, { records }: Transfer): void {
  const zone = readIpZone(origin, records);
  expect(Object.fromEntries(zone.summary)).toMatchObject({
    v: '1',
    side: origin.split('.')[0],
    serial: String(serialIn(records[0])),
    ...countedSummary(zone, records),
  });
  expect([...zone.indexed].sort()).toEqual([...zone.pages.keys()].sort());
  expect(zone.largestRrset).toBeLessThanOrEqual(100);
}

/** From every serial that anybody may still hold to now. */
export function checkIxfrs(house: House, origin: string, history: Map<number, ZoneImage>): number {
  const zone = house.zone(origin);
  const from = readerFor(house, origin);
  const now = history.get(zone.serial)!;
  const retained = new Set(zone.revisions.map(({ fromSerial }) => fromSerial as number));
  let incremental = 0;
  for (const [serial, then] of history) {
    const { records } = house.transfer(origin, { from, have: serial });
    const form = formOf(records);
    if (serial === zone.serial) expect(form).toBe('current');
    else if (!retained.has(serial)) expect(form).toBe('full');
    if (form === 'changes') incremental++;
    expect(compareImages(followIxfr(then, records), now)).toEqual(SAME_IMAGE);
    checkIxfrOverUdp(house, origin, { serial, then, now });
  }
  return incremental;
}

/** What does not fit into a datagram is answered with the SOA of now, all else with the changes. */
function checkIxfrOverUdp(
  house: House,
  origin: string,
  { serial, then, now }: { serial: number; then: ZoneImage; now: ZoneImage },
): void {
  const from = readerFor(house, origin);
  const edns = { udpPayloadSize: 1232 };
  const { messages, sizes, records } = house.transfer(origin, {
    from,
    edns,
    have: serial,
    protocol: 'udp',
  });
  expect(messages).toHaveLength(1);
  expect(sizes[0]).toBeLessThanOrEqual(1232);
  if (records.length === 1) expect(serialIn(records[0])).toBe(now.serial);
  else expect(compareImages(followIxfr(then, records), now)).toEqual(SAME_IMAGE);
}

export function remember(
  history: History,
  origin: string,
  image: ZoneImage,
): Map<number, ZoneImage> {
  const ofZone = history.get(origin) ?? new Map<number, ZoneImage>();
  history.set(origin, ofZone);
  const known = ofZone.get(image.serial);
  // One serial, one content, whatever was restarted in between.
  if (known !== undefined) expect(compareImages(known, image)).toEqual(SAME_IMAGE);
  for (const serial of ofZone.keys()) expect(serial).toBeLessThanOrEqual(image.serial);
  ofZone.set(image.serial, image);
  return ofZone;
}

/** A server that starts now compiles all from nothing and must come to the same zones and history. */
export async function checkRestart(house: House, history: History): Promise<void> {
  const restarted = await house.restart();
  expect(serials(restarted)).toEqual(serials(house));
  for (const origin of history.keys()) {
    if (!house.publisher.state.zones.has(origin)) continue;
    const from = readerOf(house, origin);
    if (from === undefined) continue;
    const image = imageOfAxfr(restarted.transfer(origin, { from }).records);
    checkIxfrs(restarted, origin, remember(history, origin, image));
  }
}

function serials(house: House): Record<string, number> {
  return Object.fromEntries(house.publisher.zones().map(({ origin, serial }) => [origin, serial]));
}
