// Owns `npm run bench -- NAME`: the one entry for benchmarks. Without a name it lists them.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nearest } from '#base'
import { isMain, printResult } from './result.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const own = new Set(['main.ts', 'result.ts'])
const names = readdirSync(folder)
  .filter(file => file.endsWith('.ts') && !own.has(file))
  .map(file => file.slice(0, -3))
  .sort()
const [name, ...rest] = process.argv.slice(2)

if (name === undefined) {
  console.log('npm run bench -- NAME, with one of these:\n')
  for (const each of names) console.log(`  ${each.padEnd(16)} ${firstWords(each)}`)
} else if (!names.includes(name)) {
  const near = nearest(name, names)
  console.error(
    `bench: there is no ${name}${near === null ? '' : `; did you mean ${near}?`} (${names.join(', ')})`,
  )
  process.exitCode = 2
} else {
  const bench: unknown = await import(`./${name}.ts`)
  if (!isMain(bench)) throw new TypeError(`bench/${name}.ts must export run(parameters)`)
  printResult(await bench.run(rest))
}

/** The first sentence of a benchmark's file says what it measures. */
function firstWords(each: string): string {
  const [line = ''] = readFileSync(`${folder}/${each}.ts`, 'utf8').split('\n')
  return line.replace(/^\/\/ /, '')
}
