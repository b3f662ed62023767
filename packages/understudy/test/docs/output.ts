/** What differs from run to run, and a word that stands for it. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z/g, '<time>'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?/g, '<time>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>'],
  [/[\d,]+ rows\/s/g, '<rate>'],
  [/\b(\d+ min \d+|\d+(\.\d+)?) (ms|s)\b/g, '<duration>'],
  [/\b[\d,.]+ (B|kB|MB|GB)\b/g, '<size>'],
  [/\bserver \d+, database \d+/g, 'server <number>, database <number>'],
  [/postgres:\/\/[\w.]+@(localhost|127\.0\.0\.1):\d+\//g, 'postgres://<server>/'],
  [/PostgreSQL \d+(\.\d+)?/g, 'PostgreSQL <version>'],
  [/Node \d+\.\d+\.\d+/g, 'Node <version>'],
  [/\b(\d+) of \1 checks passed/g, 'all checks passed'],
  [/\b\d+ checks, 0 failed/g, 'all checks passed'],
  [/\b1 of \d+ checks failed/g, 'a check failed'],
  // A table is as wide as what stands in it.
  [/─+/g, '─'],
  [/ +/g, ' '],
  [/ +$/gm, ''],
]

/** A text without what differs from run to run; `home` is the folder that the page calls `/home/ada`. */
export function normalise(text: string, home: string): string {
  return CHANGING.reduce((result, [pattern, word]) => result.replace(pattern, word), text.replaceAll(home, '/home/ada'))
}

/** Whether an output is what a page shows: the same lines, where a line `…` stands for any number of them. */
export function isShown(output: string, shown: string): boolean {
  const escaped = shown.split(/^…\n/m).map((part) => part.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${escaped.join('(?:.*\n)*?')}$`).test(output)
}
