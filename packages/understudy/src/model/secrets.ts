/** Whether a column's name says that its values are nobody's business: they are never shown. */
export function isSecretName(name: string): boolean {
  return /(^|_)(password|passwd|passwort|pwd|secret|token|api_?key|private_?key|credentials?)(_|$)/i.test(name)
}
