import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { readTextFile } from './read-yaml.ts'

it('says in words that a file is not there, or is none', () => {
  expect(() => readTextFile('/nowhere/own.yaml')).toThrow('/nowhere/own.yaml: there is no such file')
  expect(() => readTextFile(tmpdir())).toThrow('it is a folder, and a file is expected')
})
