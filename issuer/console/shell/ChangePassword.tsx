/** The own password: on the account's page, and before anything else when somebody else chose it. */
import { useState } from 'react'
import { sessionSchema } from '../../console-contract/session.ts'
import { keepForgeryToken, post } from '../api/client.ts'
import { renewSession } from '../api/query.ts'
import { useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { NewPassword, noPassword, passwordFault } from '../parts/NewPassword.tsx'
import { signOut } from './sign-out.ts'
import { WayIn } from './WayIn.tsx'

export function ChangePasswordForm({ onDone }: { onDone?: () => void }) {
  const { user } = useSession()
  const [password, setPassword] = useState('')
  const [typed, setTyped] = useState(noPassword)
  const [tried, setTried] = useState(false)
  const fault = passwordFault(typed)
  const change = async () => {
    setTried(true)
    if (fault !== undefined) return
    const session = await post(sessionSchema, '/session/password', { password, newPassword: typed.once })
    // The session has another token from here on.
    keepForgeryToken(session.forgeryToken)
    setPassword('')
    setTyped(noPassword)
    setTried(false)
    onDone?.()
    await renewSession()
  }
  return (
    <Form submit="Change the password" onSubmit={change}>
      {/* So that a browser's keeper of passwords knows whose it is. */}
      <input type="text" autoComplete="username" value={user.name} readOnly hidden />
      <TextField
        label="Password as it is"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={setPassword}
      />
      <NewPassword typed={typed} onChange={setTyped} fault={tried ? fault : undefined} />
    </Form>
  )
}

/** Instead of the shell. */
export function MustChangePassword() {
  const { user } = useSession()
  return (
    <WayIn
      title="Choose your password"
      lead={`Somebody else chose the password of ${user.name}: it is for this one sign-in. What you choose now, you alone know.`}
    >
      <ChangePasswordForm />
      <Button kind="bare" onPress={() => void signOut()}>
        Sign out
      </Button>
    </WayIn>
  )
}
