import { expect, test } from 'vitest';
import { type BannerFacts, banner, urlOf } from '../../src/cli/banner.ts';
import { bellPlugin, pagerPlugin } from '../helpers/test-plugin.ts';

const facts: BannerFacts = {
  version: '1.0.0',
  role: 'all',
  types: undefined,
  url: 'http://127.0.0.1:3000',
  dataDir: '/data',
  plugins: [bellPlugin(), pagerPlugin({ hasSandbox: true })],
  notices: ['pager: no credentials.'],
};

test('the banner shows where the API, its page and the data are, and which plugins are loaded', () => {
  const text = banner(facts, undefined);
  expect(text).toContain('http://127.0.0.1:3000/docs');
  expect(text).toContain('/data');
  expect(text).toContain('plugin-bell 1.0.0 (bell), plugin-pager 1.2.3 (pager)');
  expect(text).toContain('! pager: no credentials.');
  expect(text).not.toContain('API key');
});

test('the banner of a runner has no API, and says which types it takes', () => {
  const text = banner({ ...facts, role: 'runner', types: ['pager'] }, undefined);
  expect(text).toContain('http://127.0.0.1:3000/readyz');
  expect(text).not.toContain('/v1');
  expect(text).toMatch(/Types +pager/);
});

test('a key that was just made is shown, with the word that it is the only time', () => {
  expect(banner(facts, 'bs_new')).toMatch(/API key {2}bs_new\n {2}It is shown this once/);
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://localhost:80'],
  ['::', 'http://localhost:80'],
  ['::1', 'http://[::1]:80'],
  ['host.example', 'http://host.example:80'],
])('listening on %s is reached at %s', (host, url) => {
  expect(urlOf(host, 80)).toBe(url);
});
