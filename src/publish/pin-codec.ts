import { readUint32, writeUint32 } from '../dns/octets.ts';
import { diffIpContents } from '../zone/diff-bodies.ts';
import { applyIpDiff, EMPTY_IP, type IpContent } from '../zone/ip-content.ts';
import { decodeRevision, encodeRevision } from '../zone/revision-codec.ts';
import { applyRpzDiff, diffRpzContents } from '../zone/rpz-content.ts';
import type { PolicySide, Revision } from '../zone/snapshot.ts';
import type { Pin, PolicyContent } from './state.ts';

const SIDES: readonly PolicySide[] = ['rpz', 'block', 'allow'];
const HEADER_OCTETS = 5;

/** Per side: its place in SIDES (1 octet), a length (4), and the difference from an empty zone. */
export function encodePin(pin: Pin): Uint8Array {
  const parts = [...pin].flatMap(([side, content]) => {
    const diff = diffFromNothing(content);
    const bytes = encodeRevision({ diff, recordsRemoved: 0, recordsAdded: 0 });
    const header = new Uint8Array(HEADER_OCTETS);
    header[0] = SIDES.indexOf(side);
    writeUint32(header, 1, bytes.length);
    return [header, bytes];
  });
  return Uint8Array.from(Buffer.concat(parts));
}

function diffFromNothing(content: PolicyContent): Revision['diff'] {
  return content instanceof Map
    ? { kind: 'rpz', moves: diffRpzContents(new Map(), content) }
    : { kind: 'ip', lists: diffIpContents(EMPTY_IP, content as IpContent) };
}

export function decodePin(bytes: Uint8Array): Pin {
  const pin = new Map<PolicySide, PolicyContent>();
  for (let at = 0; at < bytes.length; ) {
    const side = SIDES[bytes[at]];
    const length = readUint32(bytes, at + 1);
    at += HEADER_OCTETS;
    const { diff } = decodeRevision(bytes.subarray(at, at + length));
    pin.set(side, contentOf(diff));
    at += length;
  }
  return pin;
}

function contentOf(diff: Revision['diff']): PolicyContent {
  if (diff.kind === 'rpz') return applyRpzDiff(new Map(), diff.moves);
  if (diff.kind === 'ip') return applyIpDiff(EMPTY_IP, diff.lists);
  throw new Error(`a policy is rolled back to a zone of kind ${diff.kind}`);
}
