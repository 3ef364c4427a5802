/** Who may use the console: added, given a role, kept out, given another password. */
import { useState } from 'react'
import * as v from 'valibot'
import { Link, useSearchParams } from 'wouter'
import { type User, userPageSchema } from '../../console-contract/access.ts'
import { type Role, roles } from '../../console-contract/roles.ts'
import { useChange } from '../api/query.ts'
import { useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { Form, SelectField, TextField } from '../parts/Form.tsx'
import { Icon } from '../parts/Icon.tsx'
import { KeyValue, PageHead } from '../parts/layout.tsx'
import { NewPassword, noPassword, passwordFault } from '../parts/NewPassword.tsx'
import { ShownLink } from '../parts/ShownLink.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, DateTime } from '../parts/values.tsx'

const nothing = v.object({})

const roleSays: Readonly<Record<Role, string>> = {
  viewer: 'Viewer: reads everything',
  operator: 'Operator: enrols terminals, works on exceptions',
  finance: 'Finance: decides over money',
  admin: 'Administrator: all of it, and users',
}
const roleName = (role: Role): string => role.replace(/^./, (letter) => letter.toUpperCase())
const roleOptions = roles.map((role) => [role, roleSays[role]] as const)
const asRole = (value: string): Role => roles.find((role) => role === value) ?? 'viewer'

function State({ user }: { user: User }) {
  if (user.disabled) return <Badge tone="bad">Kept out</Badge>
  if (user.mustChangePassword) return <Badge tone="warn">Has to choose a password</Badge>
  return <Badge tone="good">May sign in</Badge>
}

const columns: readonly Column<User>[] = [
  { id: 'name', title: 'Name', sort: 'name', wide: true, cell: (user) => <ShownLink id={user.name} /> },
  { id: 'role', title: 'Role', cell: (user) => roleName(user.role) },
  { id: 'state', title: 'State', cell: (user) => <State user={user} /> },
  { id: 'seen', title: 'Signed in', cell: (user) => <DateTime at={user.seenAt} relative /> },
  {
    id: 'password',
    title: 'Password since',
    priority: 3,
    cell: (user) => <DateTime at={user.passwordAt} relative />,
  },
  { id: 'created', title: 'Added', sort: 'createdAt', priority: 2, cell: (user) => <DateTime at={user.createdAt} /> },
]

function AddUser({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [typed, setTyped] = useState(noPassword)
  const [tried, setTried] = useState(false)
  const add = useChange(nothing, '/users')
  const fault = passwordFault(typed)
  const submit = async () => {
    setTried(true)
    if (fault !== undefined) return
    await add.mutateAsync({ name, role, password: typed.once })
    onDone()
  }
  return (
    <Form submit="Add the user" onSubmit={submit} onCancel={onDone}>
      <TextField
        label="Name"
        hint="Letters, digits and . _ @ -; kept in lower case, and never given to another person."
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus
        value={name}
        onChange={setName}
      />
      <SelectField label="Role" value={role} options={roleOptions} onChange={(value) => setRole(asRole(value))} />
      <NewPassword
        label="Password for the first sign-in"
        typed={typed}
        onChange={setTyped}
        fault={tried ? fault : undefined}
      />
    </Form>
  )
}

function ChangeRole({ user, onDone }: { user: User; onDone: () => void }) {
  const [role, setRole] = useState<Role>(user.role)
  const change = useChange(nothing, `/users/${encodeURIComponent(user.name)}/role`)
  const submit = async () => {
    await change.mutateAsync({ role })
    onDone()
  }
  return (
    <Form submit="Change the role" onSubmit={submit} onCancel={onDone}>
      <SelectField
        label="Role"
        hint="It counts from the next request on."
        value={role}
        options={roleOptions}
        onChange={(value) => setRole(asRole(value))}
      />
    </Form>
  )
}

function ResetPassword({ user, onDone }: { user: User; onDone: () => void }) {
  const [typed, setTyped] = useState(noPassword)
  const [tried, setTried] = useState(false)
  const change = useChange(nothing, `/users/${encodeURIComponent(user.name)}/password`)
  const fault = passwordFault(typed)
  const submit = async () => {
    setTried(true)
    if (fault !== undefined) return
    await change.mutateAsync({ password: typed.once })
    onDone()
  }
  return (
    <Form submit="Set the password" onSubmit={submit} onCancel={onDone}>
      <p>All sessions of {user.name} end. At the next sign-in, a password of one’s own is asked for.</p>
      <NewPassword
        label="Password for the next sign-in"
        typed={typed}
        onChange={setTyped}
        fault={tried ? fault : undefined}
      />
    </Form>
  )
}

function ShownUser({ user }: { user: User }) {
  const own = useSession().user.name === user.name
  const [asked, setAsked] = useState<'role' | 'password'>()
  const change = useChange(nothing, `/users/${encodeURIComponent(user.name)}/disabled`)
  const done = () => setAsked(undefined)
  return (
    <div className="stack">
      <KeyValue
        pairs={[
          ['Role', roleSays[user.role]],
          ['State', <State key="state" user={user} />],
          ['Added', <DateTime key="added" at={user.createdAt} />],
          ['Password since', <DateTime key="password" at={user.passwordAt} />],
          ['Signed in', <DateTime key="seen" at={user.seenAt} relative />],
        ]}
      />
      <Link href={`/audit-log?subject=${encodeURIComponent(user.name)}`}>What was changed about {user.name}</Link>
      <Link href={`/audit-log?name=${encodeURIComponent(user.name)}`}>What {user.name} changed</Link>
      <div className="row-of-buttons">
        <Button onPress={() => setAsked('role')}>Change the role</Button>
        {own ? null : <Button onPress={() => setAsked('password')}>Set another password</Button>}
        <ConfirmAction
          key={String(user.disabled)}
          button={user.disabled ? 'Let in again' : 'Keep out'}
          kind={user.disabled ? 'plain' : 'danger'}
          title={user.disabled ? `Let ${user.name} in again?` : `Keep ${user.name} out?`}
          says={
            user.disabled
              ? 'The user may sign in again with the password as it is.'
              : 'All sessions of the user end at once, and nobody signs in under this name until it is let in again. What the user did stays as it is.'
          }
          confirm={user.disabled ? 'Let in' : 'Keep out'}
          danger={!user.disabled}
          act={() => change.mutateAsync({ disabled: !user.disabled })}
        />
      </div>
      <Dialog title={`Role of ${user.name}`} open={asked === 'role'} onClose={done}>
        <ChangeRole user={user} onDone={done} />
      </Dialog>
      <Dialog title={`Password of ${user.name}`} open={asked === 'password'} onClose={done}>
        <ResetPassword user={user} onDone={done} />
      </Dialog>
    </div>
  )
}

export default function Users() {
  const [adding, setAdding] = useState(false)
  const [search, setSearch] = useSearchParams()
  const list = useList({
    path: '/users',
    page: userPageSchema,
    sort: 'name',
    direction: 'ascending',
    filters: ['search', 'role'],
    live: ['audit'],
  })
  const name = search.get('shown')
  const shown = list.rows?.find((user) => user.name === name)
  const close = () =>
    setSearch((old) => {
      const without = new URLSearchParams(old)
      without.delete('shown')
      return without
    })
  return (
    <>
      <PageHead
        title="Users"
        actions={
          <Button kind="primary" onPress={() => setAdding(true)}>
            <Icon name="plus" /> Add user
          </Button>
        }
      />
      <DataTable
        caption="Users"
        noun={['user', 'users']}
        list={list}
        columns={columns}
        rowKey={(user) => user.name}
        empty={{ title: 'No users', text: 'Whoever may use the console stands here.' }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="search" label="Name" />
            <FilterSelect list={list} name="role" label="Role" options={roles.map((role) => [role, roleName(role)])} />
          </Filters>
        }
      />
      <Dialog title="Add a user" open={adding} onClose={() => setAdding(false)}>
        <AddUser onDone={() => setAdding(false)} />
      </Dialog>
      <Dialog title={shown?.name ?? 'User'} open={shown !== undefined} onClose={close} drawer="end">
        {shown === undefined ? null : <ShownUser user={shown} />}
      </Dialog>
    </>
  )
}
