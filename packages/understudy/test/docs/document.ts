/** A fenced block with commands, as a page has it. */
export interface Block {
  /** The line of its fence, for messages. */
  readonly line: number
  readonly commands: string
  /** The machine that it is run on, from a first line such as `# on live`; `each machine`; null where the page says nothing of it. */
  readonly host: string | null
  /** What the last command exits with: `sh exit=4`; 0 unless the page says so. */
  readonly exitCode: number
  /** Why it cannot be run: `sh not-run=reason`. */
  readonly notRun: string | null
  /** What it prints, from the block of `text` right behind it; null where the page does not show it. */
  readonly output: string | null
}

interface Fenced {
  readonly line: number
  readonly language: string
  readonly attributes: Readonly<Record<string, string>>
  readonly text: string
  /** Whether only blank lines stand between it and the block before. */
  readonly isNext: boolean
}

const COMMANDS = /^(sh|bash|shell|console|crontab)$/

/**
 * All blocks with commands of a page of documentation, in their order. `sh`, and `crontab`: each of its lines is a time and a command.
 *
 * @throws where a page has commands in a block of another kind, which nobody would run
 */
export function readBlocks(markdown: string): Block[] {
  const fenced = readFenced(markdown)
  return fenced.flatMap((each, at) => {
    const { line, language, attributes, text } = each
    if (!COMMANDS.test(language)) return []
    if (language !== 'sh' && language !== 'crontab') throw new Error(`line ${line}: write commands as \`sh\``)
    const next = fenced[at + 1]
    return {
      line,
      commands: language === 'crontab' ? text.replace(/^(\S+\s+){5}/gm, '') : text,
      host: /^# on (.+)$/m.exec(text.split('\n')[0] ?? '')?.[1] ?? null,
      exitCode: Number(attributes.exit ?? 0),
      notRun: attributes['not-run'] ?? null,
      output: next?.isNext && next.language === 'text' ? next.text : null,
    }
  })
}

function readFenced(markdown: string): Fenced[] {
  const fenced: Fenced[] = []
  const pattern = /^```(\S*)([^\n]*)\n(.*?)^```$/gms
  let end = 0
  for (const match of markdown.matchAll(pattern)) {
    const [whole, language = '', rest = '', text = ''] = match
    const before = markdown.slice(end, match.index)
    fenced.push({
      line: markdown.slice(0, match.index).split('\n').length,
      language,
      attributes: Object.fromEntries(rest.split(' ').flatMap((word) => (word === '' ? [] : [word.split('=', 2)]))),
      text,
      isNext: before.trim() === '',
    })
    end = match.index + whole.length
  }
  return fenced
}
