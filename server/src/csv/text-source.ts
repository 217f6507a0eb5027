import { Decoder } from './decoder.ts';

const MARKS: readonly (readonly [encoding: string, mark: Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

const LONGEST_MARK = 3;
const BOM = '\ufeff';

/** Turns chunks of bytes into text: by a byte order mark, else by the given encoding, else as UTF-8. */
export class TextSource {
  readonly #given: string;
  #decoder: Decoder | undefined;
  #start = Buffer.alloc(0);
  #isAtStart = true;

  /** `encoding` is a name of {@link encodingName}. */
  constructor(encoding = 'utf-8') {
    this.#given = encoding;
  }

  /** The encoding, as far as it is known. */
  get encoding(): string {
    return this.#decoder?.encoding ?? this.#given;
  }

  /** @throws EncodingError */
  push(bytes: Buffer): string {
    if (this.#decoder !== undefined) return this.#unmarked(this.#decoder.push(bytes));
    this.#start = Buffer.concat([this.#start, bytes]);
    return this.#start.length < LONGEST_MARK ? '' : this.#begin();
  }

  /** @throws EncodingError */
  end(): string {
    const text = this.#decoder === undefined ? this.#begin() : '';
    return text + this.#unmarked(this.#decoder?.end() ?? '');
  }

  #begin(): string {
    const marked = MARKS.find(([, mark]) => this.#start.subarray(0, mark.length).equals(mark));
    this.#decoder = new Decoder(marked?.[0] ?? this.#given);
    return this.#unmarked(this.#decoder.push(this.#start));
  }

  #unmarked(text: string): string {
    if (!this.#isAtStart || text === '') return text;
    this.#isAtStart = false;
    return text.startsWith(BOM) ? text.slice(1) : text;
  }
}
