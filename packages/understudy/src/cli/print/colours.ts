import pico from 'picocolors'

export type Style = ReturnType<typeof pico.createColors>

/** Colours on a terminal only, unless FORCE_COLOR asks for them; NO_COLOR and `--no-color` win. */
export function styleFor(stream: NodeJS.WriteStream, hasColour: boolean): Style {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  const isForced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  const isTerminal = stream.isTTY && TERM !== 'dumb' && FORCE_COLOR === undefined
  return pico.createColors(hasColour && !NO_COLOR && (isForced || isTerminal))
}
