import type { Setting } from '../contestants/contestant.ts';
import { peer } from '../contestants/peers.ts';

/** A worker process: `worker-main.ts PEER drainer|listener SETTING`. It says when it is ready, and works when it is told to. */
const REPORT_MS = 20;

process.on('disconnect', () => process.exit(1));

const [name = '', method = '', setting = '{}'] = process.argv.slice(2);
const isListener = method === 'listener';
const opened = await peer(name);
let calls = 0;
let reported = 0;

const onCall = isListener
  ? () => process.send?.({ at: String(process.hrtime.bigint()) })
  : () => {
      calls += 1;
    };
const given = JSON.parse(setting) as Setting;
const worker = await (isListener ? opened.listener(given, onCall) : opened.drainer(given, onCall));

setInterval(() => {
  if (calls === reported) return;
  reported = calls;
  process.send?.({ calls });
}, REPORT_MS);

process.on('message', (order) => {
  if (order === 'start') worker.start();
  else if (order === 'rest') void worker.rest().then(() => process.send?.('rests'));
  else void worker.stop().then(() => process.exit(0));
});
process.send?.('ready');
