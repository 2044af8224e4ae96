// Owns `npm run e2e -- NAME`: tests that are too large for `npm test` and are run when somebody wants them.
import { nearest } from '#base'

const names: Readonly<Record<string, string>> = {
  'leap-vm': 'a leap second, and the fault of 2012, in the kernel of a QEMU guest that an agent watches',
}

const [name = ''] = process.argv.slice(2)
if (name === 'leap-vm') {
  const { leapVm } = await import('./leap-vm.ts')
  process.exitCode = await leapVm()
} else {
  if (name !== '') {
    const near = nearest(name, Object.keys(names))
    console.error(`e2e: there is no ${name}${near === null ? '' : `; did you mean ${near}?`}`)
    process.exitCode = 2
  }
  console.log('npm run e2e -- NAME, with one of these:\n')
  for (const [each, words] of Object.entries(names)) console.log(`  ${each.padEnd(12)} ${words}`)
}
