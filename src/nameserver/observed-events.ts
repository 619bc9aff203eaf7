import { formatName } from '../dns/name.ts';
import { tsigErrorName } from '../dns/registry.ts';
import type { DeviceId } from '../policy/model.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { AskedEvent, RefusedEvent } from './directory-port.ts';
import type { Request } from './request.ts';

export function askedEvent(request: Request, zone: ZoneSnapshot, deviceId: DeviceId): AskedEvent {
  const { peer, requester } = request;
  const { address, protocol } = peer;
  return { deviceId, zone, address, protocol, key: requester.key };
}

export function refusedEvent(request: Request, reason: RefusedEvent['reason']): RefusedEvent {
  const { message, peer, verdict, requester } = request;
  const { address, protocol, certificateNames = [] } = peer;
  const { key } = requester;
  const question = message.questions.length === 0 ? null : message.questions[0];
  return {
    name: question === null ? null : formatName(question.name),
    address,
    protocol,
    reason,
    tsig:
      verdict.kind === 'invalid'
        ? { error: tsigErrorName(verdict.error), keyName: formatName(verdict.record.name) }
        : null,
    keyName: key === null ? null : formatName(key.name),
    certificateNames,
  };
}
