import { expect, test } from 'vitest'
import { readBlocks } from './document.js'
import { isShown, normalise } from './output.js'

const PAGE = `
\`\`\`sh exit=4
# on stage
understudy validate
\`\`\`

\`\`\`text
one
\`\`\`

\`\`\`sh
cd /tmp
\`\`\`

Something in between.

\`\`\`text
not what it prints
\`\`\`

\`\`\`crontab
30 3 * * * ~/sync.sh
\`\`\`

\`\`\`sh not-run=reason
reboot
\`\`\`
`

test('the commands of a page are read with what they print, exit with and run on', () => {
  expect(readBlocks(PAGE)).toEqual([
    {
      line: 2,
      commands: '# on stage\nunderstudy validate\n',
      host: 'stage',
      exitCode: 4,
      notRun: null,
      output: 'one\n',
    },
    { line: 11, commands: 'cd /tmp\n', host: null, exitCode: 0, notRun: null, output: null },
    { line: 21, commands: '~/sync.sh\n', host: null, exitCode: 0, notRun: null, output: null },
    { line: 25, commands: 'reboot\n', host: null, exitCode: 0, notRun: 'reason', output: null },
  ])
})

test('commands in a block of another kind are refused: nobody would run them', () => {
  expect(() => readBlocks('```console\n$ ls\n```\n')).toThrow('line 1: write commands as `sh`')
})

test('outputs are compared by what does not change from run to run', () => {
  const shown = 'users  3  1.2 kB  30 ms\n…\n/home/ada/data/2026-01-01T00-00-00-000Z.backup.tar.gz\n'
  const isEqual = (printed: string) => isShown(normalise(printed, '/tmp/x'), normalise(shown, '/tmp/x'))
  expect(isEqual('users       3   17 B   1.30 s\na\nb\n/tmp/x/data/2027-02-03T04-05-06-789Z.backup.tar.gz\n')).toBe(
    true,
  )
  expect(isEqual('users       4   17 B   1.30 s\na\nb\n/tmp/x/data/2027-02-03T04-05-06-789Z.backup.tar.gz\n')).toBe(
    false,
  )
  expect(isEqual('users       3   17 B   1.30 s\na\nb\n')).toBe(false)
})
