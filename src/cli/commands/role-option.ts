// Owns the option --role of the commands about people and tokens.
import { Option } from 'commander'
import { userRoles } from '#wire'

export function roleOption(byDefault: (typeof userRoles)[number] | null): Option {
  const option = new Option('--role <role>', 'what it may do').choices(userRoles.toReversed())
  return byDefault === null ? option.makeOptionMandatory() : option.default(byDefault)
}
