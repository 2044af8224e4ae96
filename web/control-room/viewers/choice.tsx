// Owns one choice of a form that narrows viewers down: any, or one of those that there are.
import type { ReactNode } from 'react'

export interface ChoiceProps {
  readonly name: string
  readonly label: string
  readonly any: string
  readonly chosen: Readonly<Record<string, string>>
  readonly values: readonly string[]
  readonly words?: Readonly<Record<string, string>>
}

export function Choice({ name, label, any, chosen, values, words = {} }: ChoiceProps): ReactNode {
  const value = chosen[name] ?? ''
  // What an address names stays, also when it is gone from the fleet, or not known yet.
  const all = value === '' || values.includes(value) ? values : [...values, value]
  return (
    <label>
      {label}
      <select name={name} defaultValue={value} key={all.length}>
        <option value="">{any}</option>
        {all.map(one => (
          <option key={one} value={one}>
            {words[one] ?? one}
          </option>
        ))}
      </select>
    </label>
  )
}
