/** The examples of a command, at the end of its help: what it does, and the line that does it. */
export function examples(byPurpose: Readonly<Record<string, string>>): string {
  const lines = Object.entries(byPurpose).map(([purpose, line]) => `  # ${purpose}\n  ${line}`)
  return `\nExamples:\n${lines.join('\n')}\n`
}
