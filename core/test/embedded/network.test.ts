import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { acceptsConnections, freePort } from '../../src/embedded/network.ts';
import type {} from '../helpers/global-setup.ts';

const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
let port: number;
beforeEach(async () => {
  await once(other.listen(0, '127.0.0.1'), 'listening');
  ({ port } = other.address() as AddressInfo);
});
afterEach(() => other.close());

it('tells a Postgres that takes connections from other servers and from nobody', async () => {
  expect(await acceptsConnections(Number(new URL(inject('embeddedPostgresUrl')).port))).toBe(true);
  expect(await acceptsConnections(port)).toBe(false);
  expect(await acceptsConnections(await freePort())).toBe(false);
});

it('gives up on a server that never answers', async () => {
  const mute = createServer(() => {});
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  expect(await acceptsConnections((mute.address() as AddressInfo).port, 100)).toBe(false);
  mute.close();
});

it('refuses a wanted port that is taken, naming it', async () => {
  await expect(freePort(port)).rejects.toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(`${port}`),
  });
  expect(await freePort()).toBeGreaterThan(0);
});
