/** TSIG (RFC 8945), in parts: keys, the record, what a MAC covers, signing, verifying. */
export { TSIG_ALGORITHMS, type TsigAlgorithm, type TsigKey, tsigAlgorithmOf } from './tsig-key.ts';
export type { TsigFields, TsigRecord } from './tsig-record.ts';
export {
  createResponseSigner,
  type ResponseSigner,
  signRequest,
  TSIG_FUDGE_SECONDS,
  tsigOctets,
} from './tsig-sign.ts';
export {
  createStreamVerifier,
  type InvalidTsig,
  type ResponseVerdict,
  type StreamVerifier,
  type TsigVerdict,
  verifyRequest,
  verifyResponse,
} from './tsig-verify.ts';
