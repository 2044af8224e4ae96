// Owns the command that checks the rules of the house: `tsx -C source tools/tidy/main.ts`.
import { fileURLToPath } from 'node:url'
import { rules } from './rules.ts'
import { readSourceFiles } from './source-files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tree = { root, files: readSourceFiles(root) }
const findings = Object.entries(rules).flatMap(([name, rule]) =>
  rule(tree).map(found => `${found} [${name}]`),
)
for (const finding of findings) console.error(finding)
console.log(
  `tidy: ${tree.files.length} files, ${Object.keys(rules).length} rules, ${findings.length} findings`,
)
process.exitCode = findings.length === 0 ? 0 : 1
