/** What stands over the page: the browser's own dialog, which keeps the focus inside and gives it back. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { Button, type ButtonProps } from './Button.tsx'
import { FormField } from './Form.tsx'
import { Icon } from './Icon.tsx'

export function Dialog({
  title,
  open,
  onClose,
  children,
  drawer,
}: {
  title: string
  open: boolean
  onClose: () => void
  children: ReactNode
  /** At the side, as high as the page: for what is read beside it. */
  drawer?: 'start' | 'end'
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    if (element === null) return
    if (open && !element.open) element.showModal()
    if (!open && element.open) element.close()
  }, [open])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by itself.
    <dialog
      ref={dialog}
      className={drawer === undefined ? 'dialog' : `drawer is-${drawer}`}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        // The backdrop is the dialog itself; what is in it is its children.
        if (event.target === dialog.current) onClose()
      }}
    >
      {open ? (
        <div className="dialog-body">
          <header className="dialog-head">
            <h2 id={id}>{title}</h2>
            <Button kind="bare" small label="Close" onPress={onClose}>
              <Icon name="close" />
            </Button>
          </header>
          {children}
        </div>
      ) : (
        <h2 id={id} className="unseen">
          {title}
        </h2>
      )}
    </dialog>
  )
}

/**
 * A button whose action is confirmed: the dialog says what will happen, asks for a reason where one is kept, and shows the
 * server's sentence when it refuses.
 */
export function ConfirmAction({
  button,
  kind = 'plain',
  small,
  title,
  says,
  reason,
  confirm,
  danger,
  disabled,
  act,
}: {
  /** On the button. */
  button: ReactNode
  kind?: ButtonProps['kind']
  small?: boolean
  title: string
  /** What will happen, and what will not. */
  says: ReactNode
  /** A question such as "Why is it blocked?"; absent: no reason is asked for. */
  reason?: string
  /** What the confirming button does, as a verb. */
  confirm: string
  danger?: boolean
  disabled?: boolean
  /** Rejects with the sentence to show. */
  act: (reason: string) => Promise<unknown>
}) {
  const [open, setOpen] = useState(false)
  const [why, setWhy] = useState('')
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  const missing = reason !== undefined && why.trim() === ''
  const run = async () => {
    if (missing) {
      setRefusal('Say why: the reason is kept with the change.')
      return
    }
    setBusy(true)
    setRefusal(undefined)
    try {
      await act(why.trim())
      setOpen(false)
      setWhy('')
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button kind={kind} small={small ?? false} onPress={disabled ? undefined : () => setOpen(true)}>
        {button}
      </Button>
      <Dialog title={title} open={open} onClose={() => setOpen(false)}>
        <form
          method="dialog"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            void run()
          }}
        >
          <div className="dialog-text">{says}</div>
          {reason === undefined ? null : (
            <FormField label={reason} error={missing ? refusal : undefined}>
              {(field) => <textarea {...field} rows={3} value={why} onChange={(event) => setWhy(event.target.value)} />}
            </FormField>
          )}
          {refusal === undefined || missing ? null : (
            <p className="strip tone-bad" role="alert">
              {refusal}
            </p>
          )}
          <footer className="dialog-foot">
            <Button onPress={() => setOpen(false)}>Cancel</Button>
            <Button kind={danger ? 'danger' : 'primary'} submit busy={busy}>
              {confirm}
            </Button>
          </footer>
        </form>
      </Dialog>
    </>
  )
}
