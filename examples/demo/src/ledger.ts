/** What a receiver noted about one call. */
export interface Receipt {
  /** The address of a mail, or the `webhook-id` of a call. */
  readonly key: string;
  /** The receiver has it now; whether the sender learnt of that is another matter. */
  readonly taken: boolean;
  /** What the call carried that no other job's may carry; undefined if it was refused before. */
  readonly mark?: string;
}

/** The book of a receiver. It knows nothing of the log with which it is compared. */
export class Ledger {
  readonly #receipts: Receipt[] = [];
  readonly #seen = new Set<string>();

  /** Notes a call. */
  note(receipt: Receipt): void {
    this.#receipts.push(receipt);
    this.#seen.add(receipt.key);
  }

  /** Whether anything was noted under this key. */
  knows(key: string): boolean {
    return this.#seen.has(key);
  }

  /** All that was noted so far, in order. */
  get receipts(): readonly Receipt[] {
    return this.#receipts;
  }
}
