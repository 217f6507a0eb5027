import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** An SMTP server in a process of its own: reads each message to its end, takes it, counts. */
let received = 0;

const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData(stream, _session, callback) {
    stream.resume();
    stream.on('end', () => {
      received += 1;
      callback(null, '2.0.0 Ok: queued');
    });
  },
});
// A sender that ends closes its connections; without a listener that would end this process.
server.on('error', () => undefined);

server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}` });
});

/** Asked for the count, it answers it and starts again from 0. */
process.on('message', () => {
  process.send?.({ received });
  received = 0;
});
