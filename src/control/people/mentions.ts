// Owns finding where a configuration names somebody. It gives places, never values: a configuration holds secrets.
const PLACES_MAX = 200
const DEPTH_MAX = 32

/** Places as `notify.onCall[2].person`, where a key or a whole value is the name, or a list of names has it. */
export function mentionsOf(configuration: unknown, name: string): string[] {
  const places: string[] = []
  const isName = (text: string): boolean => text.split(/[\s,;<>]+/).some(word => word === name)
  const look = (value: unknown, path: string, depth: number): void => {
    if (places.length >= PLACES_MAX || depth > DEPTH_MAX) return
    if (typeof value === 'string') {
      if (isName(value)) places.push(path)
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) look(item, `${path}[${index}]`, depth + 1)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const at = path === '' ? key : `${path}.${key}`
        if (key === name) places.push(at)
        look(item, at, depth + 1)
      }
    }
  }
  look(configuration, '', 0)
  return places
}
