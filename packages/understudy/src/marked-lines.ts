/**
 * Lines in a chunk that breaks anywhere but in an end, with what their maker knows of them: whoever takes them need not search. Each ends with `,\n`, as in
 * a document, so that they can be taken as they are.
 */
export interface MarkedLines {
  readonly bytes: Buffer
  /**
   * Where the first line begins that is whole in here, then two numbers for each that is: where its first value ends, and where it ends itself,
   * behind its `,\n`. Empty where no line ends in here.
   */
  readonly marks: Int32Array
  /** Whether raw control characters may be among the bytes, which only a value of type `json` holds. */
  readonly isRaw: boolean
}

/** What every line ends with. */
export const LINE_END_BYTES = 2
