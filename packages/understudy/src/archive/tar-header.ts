const BLOCK = 512
const MAX_OCTAL_SIZE = 0o77777777777

/** Two blocks of zeros: the end of a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

/**
 * The ustar header of a regular file (IEEE Std 1003.1, pax, "ustar Interchange Format"): mode 0600, owner 0, time 0, so that the same
 * content gives the same bytes. A size of 8 GiB or more is written in base 256, as GNU tar does.
 */
export function tarHeader(file: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(file, 0, 100, 'ascii')
  header.write('0000600\0', 100, 'ascii')
  header.write('0000000\0', 108, 'ascii')
  header.write('0000000\0', 116, 'ascii')
  writeSize(header, size)
  header.write('00000000000\0', 136, 'ascii')
  header.write('        0', 148, 'ascii')
  header.write('ustar\x0000', 257, 'ascii')
  let sum = 0
  for (const byte of header) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii')
  return header
}

/** The zeros that fill a file's last block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

function writeSize(header: Buffer, size: number): void {
  if (size <= MAX_OCTAL_SIZE) {
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'ascii')
    return
  }
  header[124] = 0x80
  header.writeBigUInt64BE(BigInt(size), 128)
}
