import { once } from 'node:events';
import { createGunzip, type Gunzip } from 'node:zlib';
import { HttpProblem } from './problem.ts';

/** How far a compressed body may expand. */
export interface ExpansionLimits {
  /** Bytes that are let through whatever their ratio. */
  readonly freeBytes: number;
  /** Bytes out for a byte in, beyond those. */
  readonly maxRatio: number;
}

/** Lists of people shrink to a tenth, very uniform ones to a hundredth; a bomb to a thousandth. */
const EXPANSION: ExpansionLimits = { freeBytes: 1024 * 1024, maxRatio: 200 };

/**
 * Unpacks gzip as it comes, several members too, with back-pressure. Nothing is kept, so a bomb
 * costs at most `maxRatio` times what was sent.
 * @throws HttpProblem `invalid_compression` for bytes that are no gzip or end too early,
 * `expands_too_much`, and what the source throws.
 */
export async function* gunzipped(
  chunks: AsyncIterable<Buffer>,
  limits: ExpansionLimits = EXPANSION,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const fed = { bytes: 0 };
  // A failure of the source comes out of the loop below, by way of the stream.
  feed(chunks, gunzip, fed).catch((error: unknown) => gunzip.destroy(error as Error));
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.freeBytes && bytes > fed.bytes * limits.maxRatio) throw tooMuch(limits);
      yield chunk;
    }
  } catch (error) {
    throw isBroken(error) ? broken(error) : error;
  } finally {
    // The feeder may still wait for bytes; it ends with the next ones.
    gunzip.destroy();
  }
}

async function feed(chunks: AsyncIterable<Buffer>, gunzip: Gunzip, fed: { bytes: number }): Promise<void> {
  for await (const chunk of chunks) {
    if (gunzip.destroyed) return;
    fed.bytes += chunk.length;
    if (!gunzip.write(chunk)) await drained(gunzip);
  }
  gunzip.end();
}

async function drained(gunzip: Gunzip): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  // A stream that was destroyed never drains.
  await Promise.race([once(gunzip, 'drain', { signal }), once(gunzip, 'close', { signal })]).finally(() =>
    settled.abort(),
  );
}

const isBroken = (error: unknown): boolean => String((error as { code?: unknown }).code).startsWith('Z_');

const broken = (cause: unknown): HttpProblem =>
  new HttpProblem(
    'invalid_compression',
    'The body is no valid gzip, or ends too early. Compress it again, or send it without content-encoding. Nothing was stored.',
    { cause },
  );

const tooMuch = ({ maxRatio }: ExpansionLimits): HttpProblem =>
  new HttpProblem(
    'expands_too_much',
    `The body expands to more than ${maxRatio} times its size. Send it without compression. Nothing was stored.`,
  );
