import { expect, it } from 'vitest';
import { postgresArguments } from '../../src/embedded/settings.ts';

it('gives each setting once; what the caller sets wins', () => {
  const args = postgresArguments('/data/pgdata', 5432, { fsync: 'off', work_mem: '8MB' });
  expect(args.slice(0, 4)).toEqual(['-D', '/data/pgdata', '-p', '5432']);
  expect(args.filter((arg) => arg.startsWith('fsync='))).toEqual(['fsync=off']);
  expect(args).toContain('work_mem=8MB');
  expect(args).toContain('listen_addresses=127.0.0.1');
});
