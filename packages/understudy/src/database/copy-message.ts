/** Type byte and length of a message (manual, "Message Formats"). */
export const MESSAGE_HEADER_BYTES = 5
const COPY_DATA = 0x64 // d

/** What goes to the server in one message: large enough to keep the cost of a message small, small enough for its memory. */
const MESSAGE_BYTES = 1 << 18

/** Room for a message of `COPY … FROM STDIN`, its first bytes left for the header. */
export function newMessage(): Buffer {
  return Buffer.allocUnsafe(MESSAGE_HEADER_BYTES + MESSAGE_BYTES)
}

/** The message of what was written into it. */
export function sealed(message: Buffer, used: number): Uint8Array {
  message[0] = COPY_DATA
  message.writeUInt32BE(used - 1, 1)
  return message.subarray(0, used)
}
