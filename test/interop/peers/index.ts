/**
 * Real programs for tests, nearly all of DNS: each `start…` writes a configuration to a temporary
 * folder, runs the program on a loopback address of its own, and returns when it answers. What a
 * client of Sluice would configure comes from the files in `config/`, filled in, so that what we
 * ship is what is tested. Beside them: a small Internet for resolvers to resolve in, and ways to
 * look at the result.
 *
 * What doesn't live here: anything of Sluice itself, and the tests (one folder up).
 */
export type { Question, Response } from './ask.ts';
export { ask } from './ask.ts';
export type { Endpoint } from './endpoint.ts';
export { endpointFor } from './endpoint.ts';
export { eventually } from './eventually.ts';
export type { FakeInternet } from './fake-internet.ts';
export { startFakeInternet } from './fake-internet.ts';
export type { PrimaryZone, SecondaryOptions, ZoneSource } from './feed.ts';
export { startKnot } from './knot.ts';
export { startKresd } from './kresd.ts';
export type { Named } from './named.ts';
export { startNamed } from './named.ts';
export { startNginx } from './nginx.ts';
export { startNsd } from './nsd.ts';
export { startPowerDns } from './powerdns.ts';
export type { Peer } from './program.ts';
export { keepPeersTidy, makePeerFolder } from './program.ts';
export { startRecursor } from './recursor.ts';
export { findProgram, requirePeer } from './require-peer.ts';
export { fillSample } from './sample.ts';
export type { ZoneDifference } from './transfer.ts';
export { axfr, compareZones, readRecords, servedSerial } from './transfer.ts';
export type { TsigKey } from './tsig-key.ts';
export { createTsigKey, writeKeyFile } from './tsig-key.ts';
export { startUnbound } from './unbound.ts';
export type { Verdict } from './verdict.ts';
export { untilVerdict, verdictOf } from './verdict.ts';
