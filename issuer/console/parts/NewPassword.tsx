/** A new password, typed twice. The server has the last word on whether it is good. */
import { passwordLettersMin } from '../../console-contract/access.ts'
import { TextField } from './Form.tsx'

export interface TypedPassword {
  readonly once: string
  readonly again: string
}
export const noPassword: TypedPassword = { once: '', again: '' }

/** @returns what is wrong with it, before it is sent */
export const passwordFault = ({ once, again }: TypedPassword): string | undefined => {
  if ([...once].length < passwordLettersMin) return `A password has ${passwordLettersMin} letters or more.`
  return once === again ? undefined : 'These are two passwords.'
}

export function NewPassword({
  typed,
  onChange,
  label = 'New password',
  fault,
}: {
  typed: TypedPassword
  onChange: (typed: TypedPassword) => void
  label?: string
  /** Shown once it was tried to send. */
  fault?: string | undefined
}) {
  const short = fault !== undefined && [...typed.once].length < passwordLettersMin
  return (
    <>
      <TextField
        label={label}
        hint={`${passwordLettersMin} letters or more: four words that do not belong together are good.`}
        error={short ? fault : undefined}
        type="password"
        autoComplete="new-password"
        required
        maxLength={200}
        value={typed.once}
        onChange={(once) => onChange({ ...typed, once })}
      />
      <TextField
        label="The same again"
        error={short ? undefined : fault}
        type="password"
        autoComplete="new-password"
        required
        maxLength={200}
        value={typed.again}
        onChange={(again) => onChange({ ...typed, again })}
      />
    </>
  )
}
