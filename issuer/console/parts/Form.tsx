/** Forms: a field says its name, how to fill it, and what is wrong with it, to the eye and to the ear. */
import { type ComponentProps, type FormEvent, type ReactNode, useId, useState } from 'react'
import { Button } from './Button.tsx'

interface FieldAttributes {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': boolean
}

/** @param children is given the attributes that tie the control to its label, hint and error */
export function FormField({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: ReactNode
  error?: string | undefined
  children: (attributes: FieldAttributes) => ReactNode
}) {
  const id = useId()
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`]
    .filter(Boolean)
    .join(' ')
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error !== undefined })}
      {error === undefined ? null : (
        <p id={`${id}-error`} className="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

export function TextField({
  label,
  hint,
  error,
  onChange,
  ...input
}: {
  label: string
  hint?: ReactNode
  error?: string | undefined
  onChange: (value: string) => void
} & Omit<ComponentProps<'input'>, 'onChange'>) {
  return (
    <FormField label={label} {...(hint === undefined ? {} : { hint })} error={error}>
      {(attributes) => (
        <input type="text" {...input} {...attributes} onChange={(event) => onChange(event.target.value)} />
      )}
    </FormField>
  )
}

export function SelectField({
  label,
  hint,
  error,
  value,
  options,
  onChange,
}: {
  label: string
  hint?: ReactNode
  error?: string | undefined
  value: string
  /** Value and title. */
  options: readonly (readonly [string, string])[]
  onChange: (value: string) => void
}) {
  return (
    <FormField label={label} {...(hint === undefined ? {} : { hint })} error={error}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map(([each, title]) => (
            <option key={each} value={each}>
              {title}
            </option>
          ))}
        </select>
      )}
    </FormField>
  )
}

/** Sends once, and shows the server's sentence when it refuses. */
export function Form({
  submit,
  onSubmit,
  onCancel,
  children,
}: {
  /** A verb. */
  submit: string
  /** Rejects with the sentence to show. */
  onSubmit: () => Promise<unknown>
  onCancel?: () => void
  children: ReactNode
}) {
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  const send = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setRefusal(undefined)
    try {
      await onSubmit()
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="form" onSubmit={(event) => void send(event)}>
      {children}
      {refusal === undefined ? null : (
        <p className="strip tone-bad" role="alert">
          {refusal}
        </p>
      )}
      <footer className="form-foot">
        {onCancel === undefined ? null : <Button onPress={onCancel}>Cancel</Button>}
        <Button kind="primary" submit busy={busy}>
          {submit}
        </Button>
      </footer>
    </form>
  )
}
