/** Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts. */
const EPOCH_DAYS = 10_957
/** From 0000-03-01 to 1970-01-01: a year that begins in March has its leap day at the end. */
const MARCH_DAYS = 719_468
const ERA_DAYS = 146_097
const ERA_YEARS = 400

export interface CalendarDate {
  /** 0 is 1 BC. */
  readonly year: number
  readonly month: number
  readonly day: number
}

/** The date so many days after 2000-01-01, in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`). */
export function dateOf(days: number): CalendarDate {
  const fromMarch = days + EPOCH_DAYS + MARCH_DAYS
  const era = Math.floor(fromMarch / ERA_DAYS)
  const dayOfEra = fromMarch - era * ERA_DAYS
  const yearOfEra = Math.trunc(
    (dayOfEra - Math.trunc(dayOfEra / 1460) + Math.trunc(dayOfEra / 36_524) - Math.trunc(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100))
  const monthFromMarch = Math.trunc((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const day = dayOfYear - Math.trunc((153 * monthFromMarch + 2) / 5) + 1
  return { year: era * ERA_YEARS + yearOfEra + (month <= 2 ? 1 : 0), month, day }
}

/** As ISO has it, with as many digits as the year has; ` BC` is left to who writes it behind the time. */
export function dateText({ year, month, day }: CalendarDate): string {
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`
}

const DAY_MICROSECONDS = 86_400_000_000n

/** `2026-11-22T10:00:00.5+00:00`, for any of PostgreSQL's timestamps, in microseconds since 2000-01-01. */
export function timestampText(microseconds: bigint, offset: string): string {
  const time = ((microseconds % DAY_MICROSECONDS) + DAY_MICROSECONDS) % DAY_MICROSECONDS
  const date = dateOf(Number((microseconds - time) / DAY_MICROSECONDS))
  const seconds = Number(time / 1_000_000n)
  const fraction = String(time % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const clock = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
  return `${dateText(date)}T${clock}${fraction === '' ? '' : `.${fraction}`}${offset}${date.year > 0 ? '' : ' BC'}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
