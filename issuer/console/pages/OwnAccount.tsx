/** What is one's own: the password, and where one is signed in. */
import { useState } from 'react'
import * as v from 'valibot'
import { ownSessionsSchema } from '../../console-contract/access.ts'
import { useApi, useChange } from '../api/query.ts'
import { useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { PlainTable } from '../parts/DataTable.tsx'
import { Card, PageHead, Strip } from '../parts/layout.tsx'
import { ErrorState, Loading } from '../parts/states.tsx'
import { Badge, DateTime } from '../parts/values.tsx'
import { ChangePasswordForm } from '../shell/ChangePassword.tsx'

const nothing = v.object({})

/** A browser's own words are for servers; these are for its user. */
const browserName = (told: string): string => {
  const names = [
    ['Edg/', 'Edge'],
    ['OPR/', 'Opera'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ] as const
  const systems = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS X', 'macOS'],
    ['Linux', 'Linux'],
  ] as const
  const name = names.find(([mark]) => told.includes(mark))?.[1] ?? 'A program'
  const system = systems.find(([mark]) => told.includes(mark))?.[1]
  return system === undefined ? name : `${name} on ${system}`
}

type OwnSession = v.InferOutput<typeof ownSessionsSchema>['sessions'][number]

function EndSession({ session }: { session: OwnSession }) {
  const end = useChange(nothing, `/sessions/${session.sessionNo}/end`)
  if (session.current) return <Badge tone="good">This one</Badge>
  return (
    <>
      <Button small busy={end.isPending} onPress={() => end.mutate({})}>
        End it
      </Button>
      {end.error === null ? null : (
        <p role="alert" className="field-error">
          {end.error.message}
        </p>
      )}
    </>
  )
}

function OwnSessions() {
  const sessions = useApi(ownSessionsSchema, '/sessions', { live: ['audit'] })
  if (sessions.data === undefined)
    return sessions.error === null ? (
      <Loading lines={3} />
    ) : (
      <ErrorState error={sessions.error} retry={() => void sessions.refetch()} />
    )
  return (
    <PlainTable
      caption="Sessions"
      rows={sessions.data.sessions}
      rowKey={({ sessionNo }) => sessionNo}
      columns={[
        {
          id: 'browser',
          title: 'Browser',
          wide: true,
          cell: (row) => <span title={row.browser}>{browserName(row.browser)}</span>,
        },
        { id: 'address', title: 'Address', cell: (row) => row.address },
        { id: 'began', title: 'Signed in', cell: (row) => <DateTime at={row.beganAt} /> },
        { id: 'seen', title: 'Last seen', cell: (row) => <DateTime at={row.seenAt} relative /> },
        { id: 'end', title: 'End', align: 'end', cell: (row) => <EndSession session={row} /> },
      ]}
    />
  )
}

export default function OwnAccount() {
  const { user } = useSession()
  const [changed, setChanged] = useState(false)
  return (
    <>
      <PageHead title="Your account" lead={`Signed in as ${user.name}, ${user.role}.`} />
      <div className="stack">
        <Card title="Where you are signed in" flush>
          <OwnSessions />
        </Card>
        <Card title="Password">
          <div className="form-narrow stack">
            {changed ? <Strip tone="good">Your password is changed. All your other sessions have ended.</Strip> : null}
            <ChangePasswordForm onDone={() => setChanged(true)} />
          </div>
        </Card>
      </div>
    </>
  )
}
