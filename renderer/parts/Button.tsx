/** The one kind of button: large, with a stable name for drivers (`data-action`). */
import type { ButtonHTMLAttributes, ReactElement } from 'react'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly action: string
  /** `main` is the one thing to do here; `quiet` everything else. */
  readonly weight?: 'main' | 'quiet'
}

export function Button({ action, weight = 'quiet', className, ...rest }: ButtonProps): ReactElement {
  return (
    <button type="button" data-action={action} className={`button button-${weight} ${className ?? ''}`} {...rest} />
  )
}
