const SIZES = ['kB', 'MB', 'GB', 'TB']

/** `512 B`, `1.3 MB`. Decimal, as disks are sold and `pg_size_pretty` does not. */
export function formatBytes(bytes: number): string {
  let size = bytes
  let unit = 'B'
  for (const larger of SIZES) {
    // 999.95 would be rounded to 1000.0.
    if (size < 999.95) break
    size /= 1000
    unit = larger
  }
  return unit === 'B' ? `${size} B` : `${size.toFixed(1)} ${unit}`
}

/** `8 ms`, `1.24 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
}

/** `1,234,567`, of a whole number. Not by `Intl`, which takes 12 ms to begin. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `12,300 rows/s`; nothing where no time has passed. */
export function formatRate(count: number, ms: number): string {
  return ms < 1 ? '' : `${formatCount(Math.round((count / ms) * 1000))} rows/s`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
