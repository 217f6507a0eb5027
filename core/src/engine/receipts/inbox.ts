import type { Logger } from '../../plugin/index.ts';
import type { AuditLog } from '../audit.ts';
import { auditLog } from '../audit-log.ts';
import type { ReceivingEngine } from '../callbacks.ts';
import type { HostContext } from '../host-context.ts';
import type { Registry } from '../registry.ts';
import type { Store } from '../store.ts';
import { SuppressionCheck } from '../suppression/check.ts';
import { recipientHasher } from '../suppression/recipient-hash.ts';
import { suppressionList } from '../suppression/suppression-list.ts';
import type { Suppressions } from '../suppressions.ts';
import { findConnection } from './connection-facts.ts';
import { type CallbackHost, handleCallback } from './handle-callback.ts';
import { Receiver } from './receiver.ts';
import { Refusals } from './refusals.ts';

export interface InboxOptions {
  readonly context: HostContext;
  readonly store: Store;
  readonly registry: Registry;
  readonly logger: Logger;
  migrate(): Promise<void>;
}

/** All that comes in about jobs after they were sent, and whom it keeps from being sent to. */
export class Inbox {
  readonly receiver: Receiver;
  readonly suppressions: Suppressions;
  readonly audit: AuditLog;
  /** Asked by the runner, before calls. */
  readonly beforeCalls: SuppressionCheck;
  /** Asked at intake: readers and the runner have connections of their own. */
  readonly atIntake: SuppressionCheck;
  readonly receive: ReceivingEngine['receive'];
  readonly callback: ReceivingEngine['callback'];

  constructor({ context: host, store, registry, logger, migrate }: InboxOptions) {
    const hasher = recipientHasher(store.settings);
    // What was suppressed before a job came must hold for it, so a runner remembers nothing.
    this.beforeCalls = new SuppressionCheck({ lookup: store.run.suppressed, hasher, keepMs: 0 });
    this.atIntake = new SuppressionCheck({ lookup: store.suppressions, hasher });
    const onChange = () => this.atIntake.forget();
    const refusals = new Refusals(store.audit, (error) =>
      logger.warn({ err: error }, 'a refused callback could not be written to the audit log'),
    );
    const find = findConnection({ ...host, registry, store: store.connections });
    this.receiver = new Receiver({
      store: store.receipts,
      find,
      hasher,
      refusals,
      logger,
      onSuppressed: onChange,
    });
    this.suppressions = suppressionList({ store: store.suppressions, registry, hasher, migrate, onChange });
    this.audit = auditLog(store.audit, migrate);
    const { network, fetch } = host.session;
    const { receiver } = this;
    const callbacks: CallbackHost = {
      find,
      receiver,
      refusals,
      context: { logger, network, fetch },
      publicUrl: host.publicUrl,
    };
    this.receive = async (connectionId, report) => {
      await migrate();
      return receiver.receive(connectionId, report);
    };
    this.callback = async (target, request) => {
      await migrate();
      return handleCallback(callbacks, target, request);
    };
  }

  stop(): Promise<void> {
    return this.receiver.stop();
  }
}
