const KIB = 1024
const MIB = 1024 * KIB

/** The format that this version writes and reads. */
export const FORMAT_VERSION = '2.0.0'

/** The first entry of every archive. */
export const INDEX_FILE = 'backup-index.json'

/** Bytes moved at a time: through the scanner, gzip and the files. Larger blocks were no faster, 64 KiB was a tenth slower. */
export const BLOCK_BYTES = 256 * KIB

/** For gzip streams: lets zlib, which has its own threads, work ahead of us. */
export const STREAM_BUFFERS = { chunkSize: BLOCK_BYTES, highWaterMark: 4 * BLOCK_BYTES } as const

/** The largest index that is read into memory. */
export const MAX_INDEX_BYTES = 64 * MIB

/** The largest document of the first format, which is read into memory whole: its records stand on as many lines as they like. */
export const MAX_FIRST_FORMAT_BYTES = 256 * MIB

/**
 * The longest record, for writer and reader alike. Records are streamed, so it is not our memory that sets it: PostgreSQL holds a
 * line as one value of less than 1 GiB, and needs room beside it to take the line apart.
 */
export const MAX_RECORD_BYTES = 512 * MIB

/** The most entries that are looked at in one archive. */
export const MAX_ENTRIES = 100_000

/** No gzip expands further than this (deflate: 258 bytes out of 2 bits). What claims to is cut off or forged. */
export const MAX_GZIP_RATIO = 1032

/** Zero bytes that may stand after the last entry: tar pads to its blocking factor, 10 KiB by default. */
export const MAX_TRAILING_BYTES = MIB

/** Room that an entry may take beside its content: header, padding, extended headers. */
export const MAX_ENTRY_OVERHEAD_BYTES = 8 * KIB

/**
 * How far to look for an index that is not in front: this far at least, or this many times the size of the file. A repacked archive of
 * real rows compresses less; a bomb of zeros ends here after a second.
 */
export const MIN_SCAN_BYTES = 1024 * MIB
export const MAX_SCAN_RATIO = 100
