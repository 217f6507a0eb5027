export * from './conformance.ts';
export { ConformanceError } from './conformance-error.ts';
export * from './fake-call.ts';
export * from './fake-context.ts';
export * from './fake-provider.ts';
export type { Ledger, LedgerEntry } from './ledger.ts';
export type * from './options.ts';
export * from './transport-conformance.ts';
export * from './unused-port.ts';
