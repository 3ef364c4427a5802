/** Buttons: one primary action a view, all others quiet. */
import type { ReactNode, Ref } from 'react'

export interface ButtonProps {
  readonly children: ReactNode
  /** Absent: it cannot be pressed now. */
  readonly onPress?: (() => void) | undefined
  readonly kind?: 'primary' | 'plain' | 'bare' | 'danger'
  readonly small?: boolean
  /** It is under way: no second press. */
  readonly busy?: boolean
  /** For those who see no picture, where the button shows only one. */
  readonly label?: string
  readonly submit?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({ children, onPress, kind = 'plain', small, busy, label, submit, ref }: ButtonProps) {
  return (
    <button
      ref={ref}
      type={submit ? 'submit' : 'button'}
      className={`button is-${kind}${small ? ' is-small' : ''}`}
      disabled={busy || (onPress === undefined && !submit)}
      aria-busy={busy}
      aria-label={label}
      title={label}
      onClick={submit ? undefined : onPress}
    >
      {children}
    </button>
  )
}
