import { ledgerPlugin } from './ledger-plugin.ts';

/** The servers as a chaos run starts them: with the jobs that call the ledger only. */
export default { plugins: [ledgerPlugin()] };
