import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAddress, checkHost, checkNetworkPolicy } from '../../src/plugin/index.ts';

const NOTHING = { allow: [] };

describe('checkAddress', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['169.254.169.254', 'linkLocal'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['240.0.0.1', 'reserved'],
    ['192.0.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['198.51.100.7', 'reserved'],
    ['203.0.113.7', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'linkLocal'],
    ['fe80::1%eth0', 'linkLocal'],
    ['fc00::1', 'uniqueLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['fec0::1', 'deprecatedSiteLocal'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['64:ff9b::7f00:1', 'rfc6052'],
    ['64:ff9b::808:808', 'rfc6052'],
    ['64:ff9b:1::a00:1', 'rfc6052'],
    ['2002:7f00:1::', '6to4'],
    ['2002:808:808::1', '6to4'],
    ['2001::1', 'teredo'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'linkLocal'],
    ['::ffff:0:7f00:1', 'rfc6145'],
    ['::7f00:1', 'reserved'],
    ['::808:808', 'reserved'],
    ['::5efe:7f00:1', 'reserved'],
    ['4000::1', 'reserved'],
    ['8000::1', 'reserved'],
    ['not an address', 'not an IP address'],
  ])('refuses %s as %s', (address, range) => {
    expect(checkAddress(address, NOTHING)).toBe(range);
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8'])(
    'allows the public %s',
    (address) => {
      expect(checkAddress(address, NOTHING)).toBeUndefined();
    },
  );

  it('allows what the policy lists, and nothing beside it', () => {
    const policy = { allow: ['10.1.0.0/16', 'fd00::/8', '127.0.0.1', ' 192.168.7.9/24 '] };
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '127.0.0.1', '192.168.7.200']) {
      expect(checkAddress(address, policy)).toBeUndefined();
    }
    for (const address of ['10.2.0.1', 'fc00::1', '127.0.0.2', '192.168.8.1', '::1']) {
      expect(checkAddress(address, policy)).toBeDefined();
    }
  });

  it('checks the IPv4 address inside an allowed NAT64 or 6to4 address as well', () => {
    const nat64 = { allow: ['64:ff9b::/96', '2002::/16'] };
    expect(checkAddress('64:ff9b::808:808', nat64)).toBeUndefined();
    expect(checkAddress('64:ff9b::a00:1', nat64)).toBe('private');
    expect(checkAddress('2002:a00:1::', nat64)).toBe('private');
    expect(checkAddress('64:ff9b::a00:1', { allow: ['64:ff9b::/96', '10.0.0.0/8'] })).toBeUndefined();
  });

  it('lets no IPv6 address smuggle an IPv4 one past a list that allows all of IPv6', () => {
    expect(checkAddress('::7f00:1', { allow: ['::/0'] })).toBe('loopback');
    expect(checkAddress('::ffff:127.0.0.1', { allow: ['::/0'] })).toBe('loopback');
  });

  it('decides the same for an IPv4 address and its mapped form', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(checkAddress(`::ffff:${address}`, NOTHING)).toBe(checkAddress(address, NOTHING));
      }),
    );
  });
});

describe('checkHost', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '0',
    '0x0',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:ffff:7f00:1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '169.254.169.254',
    '2852039166',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'api.localhost',
    'example.com@127.0.0.1',
    '',
    '[fe80::1%eth0]',
  ])('refuses %s', (host) => {
    expect(checkHost(host, NOTHING)).toBeDefined();
  });

  it.each(['8.8.8.8', 'example.com', 'localhost.example.com', '[2606:4700:4700::1111]', '134744072'])(
    'has nothing against %s',
    (host) => {
      expect(checkHost(host, NOTHING)).toBeUndefined();
    },
  );

  it('allows localhost where one of its addresses is allowed', () => {
    expect(checkHost('localhost', { allow: ['127.0.0.0/8'] })).toBeUndefined();
    expect(checkHost('localhost', { allow: ['::1'] })).toBeUndefined();
  });
});

describe('checkNetworkPolicy', () => {
  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '010.0.0.0/8',
    'fd00::/129',
    'internal',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '',
    '::ffff:10.0.0.0/104',
  ])('names the broken entry %j', (entry) => {
    expect(() => checkNetworkPolicy({ allow: ['10.0.0.0/8', entry] })).toThrow(
      `'${entry}' in the list of allowed networks`,
    );
  });

  it('accepts ranges and single addresses', () => {
    expect(() => checkNetworkPolicy({ allow: ['10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'] })).not.toThrow();
  });
});
