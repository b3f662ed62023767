/** Lines without raw control characters, in a chunk that breaks anywhere, with what its maker knows of them: whoever takes it need not search. */
export interface MarkedLines {
  readonly bytes: Buffer
  /**
   * Where the first line begins that is whole in here, then two numbers for each that is: where its first value ends, and where it ends itself,
   * behind its `\n`.
   */
  readonly marks: Int32Array
}
