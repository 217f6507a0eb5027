import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/address.ts';

const local64 = 'a'.repeat(64);
const domain189 = `${'b'.repeat(61)}.${'c'.repeat(61)}.${'d'.repeat(61)}.com`;

describe('parseAddress', () => {
  it.each([
    ['ada@example.com', 'ada@example.com'],
    ['Ada.Lovelace+news@Example.COM', 'Ada.Lovelace+news@example.com'],
    ["o'neil!#$%&*/=?^_`{|}~-@example.com", "o'neil!#$%&*/=?^_`{|}~-@example.com"],
    ['ada@localhost', 'ada@localhost'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ['"ada lovelace"@example.com', '"ada lovelace"@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['"a:b,c;d"@example.com', '"a:b,c;d"@example.com'],
    ['"a\\"b"@example.com', '"a\\"b"@example.com'],
    [`${local64}@${domain189}`.slice(0, 254), `${local64}@${domain189}`.slice(0, 254)],
  ])('takes %s', (text, address) => {
    expect(parseAddress(text)).toMatchObject({ address, needsUtf8: false, name: '' });
  });

  it.each(['ädä@example.com', '用户@例え.テスト', 'ada\u0308@example.com'])(
    'knows that %s needs SMTPUTF8',
    (text) => {
      expect(parseAddress(text)).toMatchObject({ needsUtf8: true });
    },
  );

  it('has the same form for a domain as the URL standard, however plain it is', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const domain = labels.join('.');
        const parsed = parseAddress(`a@${domain}`);
        if (typeof parsed === 'object') expect(parsed.domain).toBe(domainToASCII(domain));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read anew when it differs from those before', () => {
    const texts = ['a@b.example', 'c@d.example', 'none', 'e@f.example', 'g@h.example', 'a@b.example'];
    const domains = texts.map((text) => (parseAddress(text) as { domain?: string }).domain);
    expect(domains).toEqual(['b.example', 'd.example', undefined, 'f.example', 'h.example', 'b.example']);
  });

  it('takes a name of any script, on one line', () => {
    expect(parseAddress({ address: 'ada@example.com', name: ' Ada  Lövelace, "Countess" ' })).toMatchObject({
      name: 'Ada Lövelace, "Countess"',
    });
  });

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'ada@b@example.com',
    ' ada@example.com',
    'ada@example.com ',
    'ada lovelace@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    'ada@example..com',
    'ada@.example.com',
    'ada@example.com.',
    'ada@-example.com',
    'ada@exa_mple.com',
    'ada@127.0.0.1',
    'ada@0x7f.1',
    'ada@[127.0.0.1]',
    'ada@[x@evil.example]',
    'ada@exa%6dple.com',
    'ada@example.com/x',
    'ada@example.com:25',
    'ada(comment)@example.com',
    'ada@example.com (comment)',
    'Friends: ada@example.com, bob@example.com;',
    'undisclosed:;',
    'ada@example.com, bob@example.com',
    'ada@example.com;bob@example.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    'ada@example.com>',
    '"ada<b"@example.com',
    '""@example.com',
    '"ada@example.com',
    'ada"b"@example.com',
    'ada@example.com\r\nBcc: eve@evil.example',
    'ada\r\n@example.com',
    'ada@example.com\n',
    'ada\0@example.com',
    '"ada\r\nRCPT TO:<eve@evil.example>"@example.com',
    'ada@example\u2028.com',
    'a\u0085da@example.com',
    '\ud800@example.com',
    'a\u202eda@example.com',
    `${'a'.repeat(65)}@example.com`,
    `${'ä'.repeat(33)}@example.com`,
    `${local64}@${domain189}.example`,
    `${'a'.repeat(988)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
  ])('refuses %j', (text) => {
    expect(typeof parseAddress(text)).toBe('string');
  });

  it('says where a name belongs', () => {
    expect(parseAddress('Ada <ada@example.com>')).toContain('"name"');
  });

  it.each(['Ada\r\nBcc: eve@evil.example', 'Ada\0', 'A\u2028da'])('refuses the name %j', (name) => {
    expect(parseAddress({ address: 'ada@example.com', name })).toContain('name');
  });

  it('needs little time for a long and evil text', () => {
    for (const part of ['a.', '"\\', 'ä', 'a-']) {
      expect(typeof parseAddress(`${part.repeat(500)}@${part.repeat(500)}`)).toBe('string');
    }
  });
});
