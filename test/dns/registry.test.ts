import { describe, expect, it } from 'vitest';
import * as registry from '../../src/dns/registry.ts';

const { CLASS, EDNS_OPTION, OPCODE, RCODE, RRTYPE } = registry;

describe('a registry', () => {
  it.each([
    ['types', RRTYPE, registry.rrtypeName, registry.rrtypeCode],
    ['classes', CLASS, registry.className, registry.classCode],
    ['opcodes', OPCODE, registry.opcodeName, registry.opcodeCode],
    ['EDNS options', EDNS_OPTION, registry.ednsOptionName, registry.ednsOptionCode],
    [
      'extended errors',
      registry.EXTENDED_ERROR,
      registry.extendedErrorName,
      registry.extendedErrorCode,
    ],
  ])('finds all its %s in both directions, in any case', (_, table, nameOf, codeOf) => {
    for (const [name, code] of Object.entries(table)) {
      expect(nameOf(code)).toBe(name);
      expect(codeOf(name.toLowerCase())).toBe(code);
    }
  });

  it('keeps values that have no name', () => {
    expect(registry.rrtypeName(65280)).toBe('TYPE65280');
    expect(registry.className(3840)).toBe('CLASS3840');
    expect(registry.opcodeName(3)).toBe('OPCODE3');
    expect(registry.rcodeName(12)).toBe('RCODE12');
    expect(registry.ednsOptionName(65001)).toBe('OPT65001');
    expect(registry.rrtypeCode('type65280')).toBe(65280);
    expect(registry.classCode('CLASS3840')).toBe(3840);
    expect(registry.rcodeCode('RCODE12')).toBe(12);
  });

  it('reads the number form of a value that has a name', () => {
    expect(registry.rrtypeCode('TYPE1')).toBe(RRTYPE.A);
  });

  it.each([
    '',
    'TYPE',
    'TYPE65536',
    'TYPE-1',
    'TYPE01',
    'TYPE1x',
    'NOSUCH',
    '1',
    'TYPE1e3',
    '__proto__',
  ])('knows no type %j', (text) => {
    expect(registry.rrtypeCode(text)).toBeUndefined();
  });

  it('has two names for 16: BADVERS in a message, BADSIG in a TSIG record', () => {
    expect(registry.rcodeName(16)).toBe('BADVERS');
    expect(registry.tsigErrorName(16)).toBe('BADSIG');
    expect(registry.tsigErrorName(RCODE.BADTIME)).toBe('BADTIME');
    expect(registry.rcodeCode('badsig')).toBe(16);
  });
});
