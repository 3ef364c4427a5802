/** The way in. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Redirect } from 'wouter'
import { startSchema } from '../../console-contract/access.ts'
import { sessionSchema } from '../../console-contract/session.ts'
import { get, post } from '../api/client.ts'
import { renewSession } from '../api/query.ts'
import { Form, TextField } from '../parts/Form.tsx'
import { WayIn } from '../shell/WayIn.tsx'

export default function SignIn() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const start = useQuery({
    queryKey: ['start'],
    queryFn: ({ signal }) => get(startSchema, '/session/start', { signal }),
  })
  if (start.data?.firstRun === true) return <Redirect to="/first-run" replace />
  const signIn = async () => {
    await post(sessionSchema, '/session/sign-in', { name, password })
    await renewSession()
  }
  return (
    <WayIn title="Sign in">
      <Form submit="Sign in" onSubmit={signIn}>
        <TextField
          label="Name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
          value={name}
          onChange={setName}
        />
        <TextField
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={setPassword}
        />
      </Form>
    </WayIn>
  )
}
