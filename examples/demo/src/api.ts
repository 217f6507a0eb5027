/** Jobs of a batch by their state. */
export interface Counts {
  readonly total: number;
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
}

/** A batch, as far as the demo looks at it. */
export interface Batch {
  readonly id: string;
  readonly state: string;
  readonly counts: Counts;
  readonly blocked: { readonly code: string; readonly message: string | null } | null;
}

/** What became of the lines of an upload. */
export interface Upload {
  readonly accepted: number;
  readonly duplicates: number;
}

/** A line of an export: what the log says about one job. */
export interface Result {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
  readonly message: string | null;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  readonly payload: { readonly [field: string]: unknown };
}

/** A job with its timeline. */
export interface Job {
  readonly id: string;
  readonly events: readonly JobEvent[];
}

/** A fact about a job. */
export interface JobEvent {
  readonly kind: string;
  readonly attempt: number;
  readonly at: string;
  readonly data: { readonly [name: string]: unknown } | null;
}

/** The calls of the server's HTTP API that the demo makes. Each throws with the server's words if it is refused. */
export class Api {
  readonly #url: string;
  readonly #apiKey: string;
  readonly #signal: AbortSignal;

  constructor(url: string, apiKey: string, signal: AbortSignal) {
    this.#url = url;
    this.#apiKey = apiKey;
    this.#signal = signal;
  }

  createBatch(batch: object): Promise<Batch> {
    return this.#json('POST', '/v1/batches', { type: 'application/json', text: JSON.stringify(batch) });
  }

  upload(batchId: string, body: { type: string; text: string }, query = ''): Promise<Upload> {
    return this.#json('POST', `/v1/batches/${batchId}/jobs${query}`, body);
  }

  seal(batchId: string): Promise<Batch> {
    return this.#json('POST', `/v1/batches/${batchId}/seal`);
  }

  batch(batchId: string): Promise<Batch> {
    return this.#json('GET', `/v1/batches/${batchId}`);
  }

  job(jobId: string): Promise<Job> {
    return this.#json('GET', `/v1/jobs/${jobId}`);
  }

  /** The whole log of a batch, a line a job. */
  async results(batchId: string): Promise<readonly Result[]> {
    const text = await (await this.#call('GET', `/v1/batches/${batchId}/results?format=ndjson`)).text();
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Result]));
  }

  /** An export as text; `query` such as `state=failed&format=csv`. */
  async export(batchId: string, query: string): Promise<string> {
    return (await this.#call('GET', `/v1/batches/${batchId}/results?${query}`)).text();
  }

  async #json<T>(method: string, path: string, body?: { type: string; text: string }): Promise<T> {
    return (await (await this.#call(method, path, body)).json()) as T;
  }

  async #call(method: string, path: string, body?: { type: string; text: string }): Promise<Response> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { 'content-type': body.type }),
      },
      body: body?.text ?? null,
      signal: this.#signal,
    });
    if (response.ok) return response;
    throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  }
}
