// Owns the words of the editor's checks: the package speaks of matrices and vectors of its types, our engine and the
// documentation of range vectors and instant vectors.
const TYPES: Readonly<Record<string, string>> = {
  matrix: 'a range vector, such as metric[10s]',
  vector: 'an instant vector',
  scalar: 'a number',
  string: 'a string',
}

export function plainWords(message: string): string {
  const words = message
    .replace(/expected type (\w+)/g, (whole, type: string) =>
      TYPES[type] === undefined ? whole : `expected ${TYPES[type]}`,
    )
    .replace(/got (\w+)$/, (whole, type: string) => `got ${(TYPES[type] ?? type).split(',')[0] ?? whole}`)
  return words.replace(/^no expression found in input$/, 'an expression is missing')
}
