import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { UnderstudyError } from '../../errors.js'
import type { Validation } from '../../validate/validate-database.js'
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
    output.result(validation, () => renderValidation(validation, output.style))
    if (junit !== undefined) await writeJunit(junit, validation)
    return validation.isValid ? EXIT_CODES.done : EXIT_CODES.invalid
  })
}

/** The results were printed before: they are not lost with the file. */
async function writeJunit(file: string, validation: Validation): Promise<void> {
  try {
    await writeFile(file, renderJunit(validation))
  } catch (cause) {
    throw new UnderstudyError('REPORT_WRITE_FAILED', `the checks cannot be written: ${file}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Name a file in a folder that exists and that you may write to.',
      cause,
    })
  }
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
