import { noopPlugin } from '../contestants/noop-plugin.ts';

/** The server as the benchmark starts it: with the no-op jobs only. */
export default { plugins: [noopPlugin(() => undefined)] };
