/**
 * Options of `COPY` for raw lines: quote and delimiter are bytes that a line without control characters cannot hold, so
 * that nothing is ever quoted or escaped, on the way out or in.
 */
export const LINES_FORMAT = String.raw`format csv, quote e'\x01', delimiter e'\x02', encoding 'UTF8'`

/** Options of `COPY` for rows of any columns. Texts come in the client's encoding, which is UTF-8. */
export const ROWS_FORMAT = 'format binary'
