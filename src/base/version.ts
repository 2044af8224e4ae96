// Owns this build's version, read once from package.json.
import { readFileSync } from 'node:fs'

const packageFile = new URL('../../package.json', import.meta.url)

/** Semantic version of this build, for example `0.1.0`. */
export const packageVersion: string = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string })
  .version
