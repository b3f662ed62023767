import { InvalidArgumentError } from 'commander'

/** `--wait 30`. */
export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0)
    throw new InvalidArgumentError('expected seconds, such as 30')
  return seconds
}

/** `--rows 20`. */
export function parseRows(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a number of rows, such as 20')
  return Number(text)
}

/** `-j 4`. */
export function parseJobs(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 99')
  return Number(text)
}

/** `--only users,public.posts`, also given several times. */
export function parseNames(text: string, earlier: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('expected names with commas between them, such as users,posts')
  return [...earlier, ...names]
}
