import { demo } from './demo.ts';
import { onInterrupt } from './interrupt.ts';
import { Screen } from './screen.ts';
import { readSettings, SettingError } from './settings.ts';

/** Exit code of a program that Ctrl+C ended, by convention. */
const INTERRUPTED = 130;

const screen = new Screen(process.stdout);
const resources = new AsyncDisposableStack();
const stopping = new AbortController();

onInterrupt(
  () => {
    stopping.abort();
    screen.line('\nStopping the servers …');
    void resources.disposeAsync().finally(() => process.exit(INTERRUPTED));
  },
  // The server was told to stop, and does so without us.
  () => process.exit(INTERRUPTED),
);

try {
  const holds = await demo(readSettings(process.env), { screen, resources, signal: stopping.signal });
  process.exitCode = holds ? 0 : 1;
} catch (error) {
  // What fails after Ctrl+C fails because of it.
  if (!stopping.signal.aborted) {
    const known = error instanceof SettingError || !(error instanceof Error);
    process.stderr.write(`\nThe demo could not be finished. ${known ? String(error) : error.message}\n`);
    process.exitCode = 1;
  }
}
if (!stopping.signal.aborted) await resources.disposeAsync();
