// Owns asking a configuration file where it names somebody: read anew each time, since people edit it meanwhile.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { mentionsOf } from '#control'

/** A file that cannot be read is said as a place, so that nobody believes that it names nobody. */
export function configMentions(file: string | null): (name: string) => readonly string[] {
  return name => {
    if (file === null) return []
    try {
      return mentionsOf(parse(readFileSync(file, 'utf8')), name)
    } catch {
      return [`${file}, which cannot be read: look at it yourself`]
    }
  }
}
