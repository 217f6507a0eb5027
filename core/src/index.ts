export { createEngine } from './create-engine.ts';
export * from './engine/api.ts';
export type { AuditEntry, AuditInput, AuditLog } from './engine/audit.ts';
export type * from './engine/callbacks.ts';
export type * from './engine/connections/api.ts';
export { createRegistry } from './engine/create-registry.ts';
export type * from './engine/endpoint.ts';
export * from './engine/errors.ts';
export type * from './engine/isolation.ts';
export type * from './engine/observer.ts';
export type * from './engine/preview.ts';
export type { RegisteredModule, Registry } from './engine/registry.ts';
export type * from './engine/results.ts';
export type * from './engine/suppressions.ts';
export type {
  ChunkRef,
  Consumption,
  SharedTransport,
  Transport,
  TransportConsumer,
} from './engine/transport.ts';
export type { Tuning } from './engine/tuning.ts';
export * from './engine/upload.ts';
export { parseSecretKeys, type SecretKey, type SecretKeys } from './engine/vault/secret-key.ts';
