/** Asks for the password when the server wants it again, and lets the request that needed it go on. */
import { useEffect, useRef, useState } from 'react'
import { sessionSchema } from '../../console-contract/session.ts'
import { answerPasswordNeeded, post } from '../api/client.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { Form, TextField } from '../parts/Form.tsx'

export function PasswordAgain() {
  const [open, setOpen] = useState(false)
  const [password, setPassword] = useState('')
  const settle = useRef<(proved: boolean) => void>(() => undefined)
  useEffect(() => {
    answerPasswordNeeded(
      () =>
        new Promise((resolve) => {
          settle.current = resolve
          setOpen(true)
        }),
    )
    return () => answerPasswordNeeded(undefined)
  }, [])
  const close = (proved: boolean) => {
    setOpen(false)
    setPassword('')
    settle.current(proved)
  }
  const prove = async () => {
    await post(sessionSchema, '/session/confirm', { password })
    close(true)
  }
  return (
    <Dialog title="Your password again" open={open} onClose={() => close(false)}>
      <Form submit="Go on" onSubmit={prove} onCancel={() => close(false)}>
        <p>Your sign-in is some time ago, and this changes money or users.</p>
        <TextField
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          autoFocus
          value={password}
          onChange={setPassword}
        />
      </Form>
    </Dialog>
  )
}
