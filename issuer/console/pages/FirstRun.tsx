/** The first administrator, made by whoever can read the server's log. */
import { useState } from 'react'
import { Link } from 'wouter'
import { sessionSchema } from '../../console-contract/session.ts'
import { post } from '../api/client.ts'
import { renewSession } from '../api/query.ts'
import { Form, TextField } from '../parts/Form.tsx'
import { NewPassword, noPassword, passwordFault } from '../parts/NewPassword.tsx'
import { WayIn } from '../shell/WayIn.tsx'

export default function FirstRun() {
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [typed, setTyped] = useState(noPassword)
  const [tried, setTried] = useState(false)
  const fault = passwordFault(typed)
  const create = async () => {
    setTried(true)
    if (fault !== undefined) return
    await post(sessionSchema, '/session/first-user', { code, name, password: typed.once })
    await renewSession()
  }
  return (
    <WayIn
      title="First administrator"
      lead="This console has no user yet. Whoever started the server finds a set-up code in what it printed; it stands for a day."
    >
      <Form submit="Make the administrator" onSubmit={create}>
        <TextField
          label="Set-up code"
          hint="Such as 7KQ2-0F9M-XW3T-H5RA"
          autoComplete="one-time-code"
          spellCheck={false}
          required
          autoFocus
          value={code}
          onChange={setCode}
        />
        <TextField
          label="Your name"
          hint="Letters, digits and . _ @ -; with it you sign in, and it stands in the log of changes."
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={name}
          onChange={setName}
        />
        <NewPassword label="Password" typed={typed} onChange={setTyped} fault={tried ? fault : undefined} />
      </Form>
      <Link href="/sign-in">Somebody was faster: sign in</Link>
    </WayIn>
  )
}
