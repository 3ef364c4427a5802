/** Who makes a change by the command, for the log of changes. */
import { userInfo } from 'node:os'

const systemUser = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown')
  }
}

export const commandCaller = (): { readonly name: string } => ({ name: `cli:${systemUser()}` })
