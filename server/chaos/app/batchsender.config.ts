import { ledgerPlugin } from '../../../core/chaos/ledger-plugin.ts';
import { PROVIDERS, TIMEOUT_MS } from '../ledger.ts';

/** The servers as a chaos run starts them: with the jobs that call the ledger only. */
export default { plugins: [ledgerPlugin({ timeoutMs: TIMEOUT_MS, providers: PROVIDERS })] };
