import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { act, type Cli } from '../cli.js'
import { examples } from '../examples.js'
import { EXIT_CODES } from '../exit-codes.js'
import { parseNames } from '../option-values.js'
import { renderJunit } from '../print/junit.js'
import { renderValidation } from '../print/validation.js'

interface Options {
  readonly archive?: string
  readonly section?: readonly string[]
  readonly junit?: string
}

export function addValidateCommand(program: Command, cli: Cli): void {
  const command = program
    .command('validate')
    .description('Look whether the content is sound: built-in checks, those of the project, and against an archive')
    .option(
      '--archive <file>',
      'the content must be that of this archive: a file, a name in the folder of archives, or `latest`',
    )
    .option('--section <names>', 'checks of these sections alone', parseNames)
    .option('--junit <file>', 'write the checks as JUnit XML into a file too')
    .addHelpText('after', examples(EXAMPLES) + PROJECT_CHECKS)
  act<Options>(command, cli, async ({ settings, output, signal, options }) => {
    const { validateDatabase } = await import('../../validate/validate-database.js')
    const { archive, section, junit } = options
    const validation = await validateDatabase(settings, {
      archive,
      sections: section,
      signal,
      onCheck: ({ name }) => output.progress.update(() => name),
    })
    if (junit) await writeFile(junit, renderJunit(validation))
    output.result(validation, () => renderValidation(validation, output.style))
    return validation.isValid ? EXIT_CODES.done : EXIT_CODES.invalid
  })
}

const EXAMPLES = {
  'look at everything': 'understudy validate',
  'does the database hold what the archive holds?': 'understudy validate --archive content.backup.tar.gz',
  'references and identities alone': 'understudy validate --section references,identities',
  'in continuous integration': 'understudy validate --junit report.xml',
  'the checks that failed': 'understudy validate --json | jq \'.checks[] | select(.status != "passed")\'',
}

const PROJECT_CHECKS = `
Checks of your own are files in the folder checks: a select of the rows that offend,
  -- check: name every event has a title
  -- check: severity warning
  select xmlid from events where name = ''
or a module that exports defineCheck({ name, sql }), one or a list of them. Exit code 4 where one failed.
`
