import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receiver of webhooks in a process of its own: reads the body, answers 200, counts. */
let received = 0;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    received += 1;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '2' });
    response.end('{}');
  });
});
server.keepAliveTimeout = 60_000;

server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` });
});

/** Asked for the count, it answers it and starts again from 0. */
process.on('message', () => {
  process.send?.({ received });
  received = 0;
});
