/** A short text, four bytes a piece: written so, in half the time. */
export class Words {
  readonly length: number
  readonly words: Int32Array

  constructor(text: string) {
    const bytes = Buffer.from(text)
    this.length = bytes.length
    this.words = new Int32Array(Math.ceil(bytes.length / 4))
    const padded = Buffer.concat([bytes], this.words.length * 4)
    for (let index = 0; index < this.words.length; index++) this.words[index] = padded.readInt32LE(4 * index)
  }
}
