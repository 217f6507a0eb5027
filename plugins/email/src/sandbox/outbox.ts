import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from '../message/compose.ts';
import { safeKey } from '../message/message-id.ts';

/** The folder in which the sandbox keeps what it would have sent. */
export class Outbox {
  readonly #folder: string;
  readonly #keep: number;
  #count: Promise<number> | undefined;
  #added = 0;
  #pruning: Promise<void> | undefined;

  /** Of `keep` files the oldest are deleted when there are a tenth more. */
  constructor(folder: string, keep: number) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /** Writes `<job id>.eml`; a repeat of the same job replaces it. */
  async put(message: Message, idempotencyKey: string): Promise<void> {
    if (this.#keep === 0) return;
    this.#count ??= this.#prepare();
    const before = await this.#count;
    const path = join(this.#folder, `${safeKey(idempotencyKey)}.eml`);
    // Readable by nobody else: these are real addresses and texts.
    await writeFile(path, Buffer.concat([envelopeOf(message), message.raw]), { mode: 0o600 });
    this.#added++;
    if (before + this.#added > this.#keep * 1.1) this.#pruning ??= this.#prune();
    await this.#pruning;
  }

  async #prepare(): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return (await this.#files()).length;
  }

  async #prune(): Promise<void> {
    const files = await this.#files();
    // Ids of batches begin with a time (UUIDv7), so the order of names is that of batches.
    const old = files.toSorted().slice(0, Math.max(0, files.length - this.#keep));
    await Promise.all(old.map((name) => rm(join(this.#folder, name), { force: true })));
    this.#count = Promise.resolve(files.length - old.length);
    this.#added = 0;
    this.#pruning = undefined;
  }

  async #files(): Promise<string[]> {
    return (await readdir(this.#folder)).filter((name) => name.endsWith('.eml'));
  }
}

/** The envelope, in two headers of its own on top: a message does not show who gets a blind copy. */
function envelopeOf({ from, recipients }: Message): Buffer {
  const to = recipients.map(({ mailbox }) => `<${mailbox.address}>`).join(',\r\n ');
  return Buffer.from(`X-Envelope-From: <${from.address}>\r\nX-Envelope-To: ${to}\r\n`);
}
